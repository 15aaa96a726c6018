{{- /* What a schema cannot say of the values: what goes with what. Included by the Deployment, so by every rendering. */}}

{{- /* The operator's own defaults of the flags that are compared. tests/docs.rs compares them with the operator. */}}
{{- define "seatkeeper.flagDefaults" -}}
min-interval: 30s
settle-answered: 5m
settle-unanswered: 30m
send-deadline: 10s
write-timeout: 120s
read-timeout: 30s
secret-recheck: 5s
credential-probe: 15m
lease-duration: 15s
lease-renew-deadline: 10s
lease-retry: 1s
shutdown-grace: 8s
{{- end }}

{{- /* The seconds of a duration such as 1h30m. */}}
{{- define "seatkeeper.seconds" -}}
{{- $part := dict "h" "0" "m" "0" "s" "0" }}
{{- range regexFindAll "[0-9]+[hms]" . -1 }}
{{- $_ := set $part (trimAll "0123456789" .) (regexFind "[0-9]+" .) }}
{{- end }}
{{- add (mul 3600 (atoi $part.h)) (mul 60 (atoi $part.m)) (atoi $part.s) }}
{{- end }}

{{- define "seatkeeper.checks" -}}
{{- include "seatkeeper.checkFlags" . }}
{{- include "seatkeeper.checkArguments" . }}
{{- include "seatkeeper.checkReplicas" . }}
{{- if regexMatch "^[0-9]" (include "seatkeeper.fullname" .) }}
{{- fail (printf "%s would be the name of a Service, which starts with a letter: set fullnameOverride, or choose another name of the release" (include "seatkeeper.fullname" .)) }}
{{- end }}
{{- if and .Values.rbac.secretNames (not .Values.rbac.create) }}
{{- fail "rbac.secretNames bounds nothing where rbac.create is false: clear it, and name the Secrets in the Role that you make" }}
{{- end }}
{{- if and .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: the operator's rights would go to the account default, which other pods of the namespace use too: name an account of the operator's own" }}
{{- end }}
{{- if regexMatch "^(127\\.|\\[::1\\])" (include "seatkeeper.listen" .) }}
{{- fail (printf "listen: %s is reached from inside the pod alone, so every probe would fail: listen at [::]:8080" .Values.listen) }}
{{- end }}
{{- range $label, $_ := .Values.commonLabels }}
{{- if has $label (list "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/component" "app.kubernetes.io/managed-by") }}
{{- fail (printf "commonLabels: %s is a label of the chart itself: name yours otherwise" $label) }}
{{- else if hasPrefix "rbac.authorization.k8s.io/" $label }}
{{- fail (printf "commonLabels: %s would add every role of the chart to a role of Kubernetes: remove it, and see rbac.aggregateToEdit" $label) }}
{{- end }}
{{- end }}
{{- if and (.Values.caBundle).configMap (.Values.caBundle).secret }}
{{- fail "caBundle: configMap and secret are both set: name one of the two" }}
{{- end }}
{{- include "seatkeeper.checkWays" . }}
{{- if eq (default "" .Values.clusterName) "none" }}
{{- fail "clusterName: none is no name, for spec.activeCluster: none means that no cluster is active: choose another name, such as prod-eu" }}
{{- else if not (regexMatch "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$" (default "" .Values.clusterName)) }}
{{- fail (printf "clusterName: %s is no name of a cluster: use 1 to 63 lower-case letters, digits and dashes, such as prod-eu" .Values.clusterName) }}
{{- end }}
{{- if and .Values.rbac.aggregateToEdit (not (and .Values.rbac.create (dig "userRoles" true .Values.rbac))) }}
{{- fail "rbac.aggregateToEdit adds the role -editor, which is not made: set rbac.create and rbac.userRoles, or clear rbac.aggregateToEdit" }}
{{- end }}
{{- end }}

{{- /* How many pods run, how many may be away, and in which order they are replaced. */}}
{{- define "seatkeeper.checkReplicas" -}}
{{- if kindIs "invalid" .Values.replicas }}
{{- fail "replicas is null, and Kubernetes would run one: write 1, or 0 to stop the operator" }}
{{- end }}
{{- $replicas := int .Values.replicas }}
{{- $least := (.Values.podDisruptionBudget).minAvailable }}
{{- if and (gt $replicas 1) (not (kindIs "invalid" $least)) }}
{{- $stay := int $least }}
{{- if kindIs "string" $least }}
{{- $stay = div (add (mul $replicas (trimSuffix "%" $least | int)) 99) 100 | int }}
{{- end }}
{{- if ge $stay $replicas }}
{{- fail (printf "podDisruptionBudget.minAvailable: %d of %d replicas must stay, so no node of theirs could be drained: lower it, or use maxUnavailable" $stay $replicas) }}
{{- end }}
{{- else if and (gt $replicas 1) (has (toString (.Values.podDisruptionBudget).maxUnavailable) (list "0" "0%")) }}
{{- fail "podDisruptionBudget.maxUnavailable: no pod may be away, so no node of theirs could be drained: write at least 1" }}
{{- end }}
{{- $rolling := (.Values.strategy).rollingUpdate }}
{{- if and $rolling (has (toString (get $rolling "maxSurge")) (list "0" "0%")) (has (toString (get $rolling "maxUnavailable")) (list "0" "0%")) }}
{{- fail "strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could be replaced: raise one of the two" }}
{{- end }}
{{- end }}

{{- /* The ways to vendors. The schema leaves their words alone: it would repeat a password that stands in a URL, and name no fix. */}}
{{- define "seatkeeper.checkWays" -}}
{{- $host := "(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?)" }}
{{- $port := "(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?" }}
{{- range .Values.vendors.allowedHosts }}
{{- if not (regexMatch (printf "^%s%s$" $host $port) .) }}
{{- fail (printf "vendors.allowedHosts: %s is no host: write host or host:port, such as vault.example.org:8443, without https:// and without a path" .) }}
{{- end }}
{{- end }}
{{- $proxy := default (dict) .Values.vendors.proxy }}
{{- $url := default "" $proxy.url }}
{{- if contains "@" $url }}
{{- fail "vendors.proxy.url must not hold credentials: put user:password into a Secret, and its name into vendors.proxy.credentialsSecret.name" }}
{{- else if and $url (not (regexMatch (printf "^https?://%s%s/?$" $host $port) $url)) }}
{{- fail "vendors.proxy.url must be a URL such as http://proxy.example.org:3128, with a host and without a path" }}
{{- end }}
{{- if and ($proxy.credentialsSecret).name (not $url) }}
{{- fail "vendors.proxy.credentialsSecret means nothing without vendors.proxy.url: set it, or clear the name" }}
{{- end }}
{{- if and $proxy.noProxy (not $url) }}
{{- fail "vendors.proxy.noProxy means nothing without vendors.proxy.url: set it, or clear noProxy" }}
{{- end }}
{{- range $proxy.noProxy }}
{{- if not (regexMatch "^(\\*|\\.?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?|[0-9.]+/[0-9]{1,2}|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(/[0-9]{1,3})?)$" .) }}
{{- fail (printf "vendors.proxy.noProxy: %s would match no vendor: write a host, a domain such as .example.org, an address, a network such as 10.0.0.0/8, or * alone; without https://, port and path" .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "seatkeeper.checkFlags" -}}
{{- $seconds := dict }}
{{- range $flag, $default := (include "seatkeeper.flagDefaults" . | fromYaml) }}
{{- $_ := set $seconds $flag (include "seatkeeper.seconds" (default $default (get $.Values.flags $flag)) | int64) }}
{{- end }}
{{- range $flag := list "lease-retry" "min-interval" "write-timeout" "read-timeout" "send-deadline" "secret-recheck" "credential-probe" "settle-answered" }}
{{- if eq (get $seconds $flag) 0 }}
{{- fail (printf "flags.%s must be longer than 0s" $flag) }}
{{- end }}
{{- end }}
{{- if gt (get $seconds "min-interval") 86400 }}
{{- fail "flags.min-interval must be at most 24h, as spec.interval is" }}
{{- end }}
{{- if ge (add (get $seconds "send-deadline") (get $seconds "write-timeout")) (get $seconds "settle-unanswered") }}
{{- fail "flags.send-deadline and flags.write-timeout together must be below flags.settle-unanswered: a request could outlive its settle time" }}
{{- end }}
{{- if gt (get $seconds "lease-duration") 600 }}
{{- fail "flags.lease-duration must not be above 10m: two replicas could lead at once" }}
{{- end }}
{{- if ge (get $seconds "lease-renew-deadline") (get $seconds "lease-duration") }}
{{- fail "flags.lease-renew-deadline must be below flags.lease-duration: two replicas could lead at once" }}
{{- end }}
{{- if ge (get $seconds "lease-retry") (get $seconds "lease-renew-deadline") }}
{{- fail "flags.lease-retry must be below flags.lease-renew-deadline: a healthy leader would lose its lease" }}
{{- end }}
{{- if ge (get $seconds "shutdown-grace") (int64 .Values.terminationGracePeriodSeconds) }}
{{- fail "flags.shutdown-grace must be below terminationGracePeriodSeconds: Kubernetes would kill what still runs" }}
{{- end }}
{{- end }}

{{- /* Flags that have a value of their own. The schema lets them through below flags, for its own words name no fix. */}}
{{- define "seatkeeper.checkArguments" -}}
{{- $own := dict "listen" "listen" "log-format" "log.format" "namespace" "watchNamespaces" "cluster-name" "clusterName" "allowed-host" "vendors.allowedHosts" "max-seats" "limits.maxSeats" "max-increase" "limits.maxIncrease" "vendor-proxy" "vendors.proxy.url" "vendor-no-proxy" "vendors.proxy.noProxy" "vendor-ca-bundle" "caBundle" }}
{{- range $flag, $_ := .Values.flags }}
{{- with get $own $flag }}
{{- fail (printf "flags.%s: this flag has a value of its own: set %s" $flag .) }}
{{- end }}
{{- end }}
{{- if not (or (.Values.caBundle).configMap (.Values.caBundle).secret) }}
{{- $_ := unset $own "vendor-ca-bundle" }}
{{- end }}
{{- $_ := set $own "lease-namespace" "flags.lease-namespace" }}
{{- range $flag, $_ := .Values.flags }}
{{- $_ := set $own $flag (printf "flags.%s" $flag) }}
{{- end }}
{{- range .Values.extraArgs }}
{{- with get $own (trimPrefix "--" (regexFind "^--[a-z-]+" .)) }}
{{- fail (printf "extraArgs: the chart gives this flag itself, by the value %s: set that one" .) }}
{{- end }}
{{- end }}
{{- end }}
