{{- /* Checks that a schema cannot make: which values fit together. The Deployment includes them, so every rendering does. */}}

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

{{- /* The seconds of a duration such as 1h30m or 1d12h. */}}
{{- define "seatkeeper.seconds" -}}
{{- $part := dict "d" "0" "h" "0" "m" "0" "s" "0" }}
{{- range regexFindAll "[0-9]+[dhms]" . -1 }}
{{- $_ := set $part (trimAll "0123456789" .) (regexFind "[0-9]+" .) }}
{{- end }}
{{- add (mul 86400 (atoi $part.d)) (mul 3600 (atoi $part.h)) (mul 60 (atoi $part.m)) (atoi $part.s) }}
{{- end }}

{{- /* A duration in the words of the operator, which takes no more than a year, or with days as well, in those of Prometheus. */}}
{{- define "seatkeeper.checkDuration" -}}
{{- $hours := "([0-9]+h)?([0-9]+m)?([0-9]+s)?$" }}
{{- $pattern := ternary (printf "^([0-9]+d)?%s" $hours) (printf "^%s" $hours) .days }}
{{- if or (not .value) (not (regexMatch $pattern .value)) }}
{{- fail (printf "%s: %q is no duration: write whole numbers with units, largest first, such as %s" .name .value (ternary "30s, 5m or 1d" "90s, 10m or 1h30m" .days)) }}
{{- else if or (regexMatch "[0-9]{9}" .value) (gt (include "seatkeeper.seconds" .value | int64) 31536000) }}
{{- fail (printf "%s: %s is longer than a year: write a shorter duration" .name .value) }}
{{- end }}
{{- end }}

{{- /* A port, as a pattern. */}}
{{- define "seatkeeper.port-pattern" -}}
(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})
{{- end }}

{{- /* An IPv4 address, as a pattern. */}}
{{- define "seatkeeper.ipv4-pattern" -}}
{{- $octet := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" }}
{{- printf "%s(\\.%s){3}" $octet $octet }}
{{- end }}

{{- /* An IPv6 address, as a pattern of several forms: one for each place where :: can be. */}}
{{- define "seatkeeper.ipv6-pattern" -}}
{{- $word := "[0-9A-Fa-f]{1,4}" }}
{{- $four := include "seatkeeper.ipv4-pattern" . }}
{{- $forms := list (printf "(%s:){7}%s" $word $word) (printf "(%s:){1,7}:" $word) (printf ":((:%s){1,7}|:)" $word) (printf "(%s:){6}%s" $word $four) (printf "::(%s:){0,5}%s" $word $four) }}
{{- range $before := list 1 2 3 4 5 6 }}
{{- $forms = append $forms (printf "(%s:){1,%d}(:%s){1,%d}" $word $before $word (sub 7 $before)) }}
{{- if lt $before 6 }}
{{- $forms = append $forms (printf "(%s:){1,%d}(:%s){0,%d}:%s" $word $before $word (sub 5 $before) $four) }}
{{- end }}
{{- end }}
{{- join "|" $forms }}
{{- end }}

{{- define "seatkeeper.checks" -}}
{{- include "seatkeeper.checkArguments" . }}
{{- include "seatkeeper.checkFlags" . }}
{{- include "seatkeeper.checkListen" . }}
{{- include "seatkeeper.checkReplicas" . }}
{{- include "seatkeeper.checkPod" . }}
{{- include "seatkeeper.checkPlacement" . }}
{{- include "seatkeeper.checkMonitoring" . }}
{{- $rbac := default (dict) .Values.rbac }}
{{- $account := default (dict) .Values.serviceAccount }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "seatkeeper.fullname" .)) }}
{{- fail (printf "%s would be the name of a Service, which starts with a letter and has lower-case letters, digits and dashes alone: set fullnameOverride, or choose another name of the release or another alias of the chart" (include "seatkeeper.fullname" .)) }}
{{- end }}
{{- if and $rbac.secretNames (not (dig "create" true $rbac)) }}
{{- fail "rbac.secretNames bounds nothing where rbac.create is false: clear it, and name the Secrets in the Role that you make" }}
{{- end }}
{{- if and (dig "create" true $rbac) (not (dig "create" true $account)) (not $account.name) }}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: the operator's rights would go to the account default, which other pods of the namespace use too: name an account of the operator's own" }}
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
{{- if and $rbac.aggregateToEdit (not (and (dig "create" true $rbac) (dig "userRoles" true $rbac))) }}
{{- fail "rbac.aggregateToEdit adds the role -editor, which is not made: set rbac.create and rbac.userRoles, or clear rbac.aggregateToEdit" }}
{{- end }}
{{- end }}

{{- /* How many pods run, how many may be missing, and in which order they are replaced. */}}
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

{{- /* The ways to vendors. The schema does not check their text: it would repeat a password in a URL, and name no fix. */}}
{{- define "seatkeeper.checkWays" -}}
{{- $host := "(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?)" }}
{{- $port := printf "(:%s)?" (include "seatkeeper.port-pattern" .) }}
{{- range (.Values.vendors).allowedHosts }}
{{- if not (regexMatch (printf "^%s%s$" $host $port) .) }}
{{- fail (printf "vendors.allowedHosts: %s is no host: write host or host:port, such as vault.example.org:8443, without https:// and without a path" .) }}
{{- end }}
{{- end }}
{{- $proxy := default (dict) (.Values.vendors).proxy }}
{{- $url := default "" $proxy.url }}
{{- if contains "@" $url }}
{{- fail "vendors.proxy.url must not hold credentials: put user:password into a Secret, and its name into vendors.proxy.credentialsSecret.name" }}
{{- else if and $url (not (regexMatch (printf "^https?://%s%s/?$" $host $port) $url)) }}
{{- fail "vendors.proxy.url must be a URL such as http://proxy.example.org:3128, with a host and without a path" }}
{{- end }}
{{- if and ($proxy.credentialsSecret).name (not $url) }}
{{- fail "vendors.proxy.credentialsSecret means nothing without vendors.proxy.url: set it, or clear the name" }}
{{- end }}
{{- if $proxy.noProxy }}
{{- fail "vendors.proxy.noProxy has moved: set vendors.noProxy instead" }}
{{- end }}
{{- if and (.Values.vendors).noProxy (not $url) }}
{{- fail "vendors.noProxy means nothing without vendors.proxy.url: set it, or clear noProxy" }}
{{- end }}
{{- $label := "[-_A-Za-z0-9]+" }}
{{- $four := include "seatkeeper.ipv4-pattern" . }}
{{- $six := include "seatkeeper.ipv6-pattern" . }}
{{- range (.Values.vendors).noProxy }}
{{- if not (regexMatch (printf "^(\\*|\\.?%s(\\.%s)*|(%s)(/(3[0-2]|[12]?[0-9]))?|(%s)(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$" $label $label $four $six) .) }}
{{- fail (printf "vendors.noProxy: %s would match no vendor: write a host, a domain such as .example.org, an address, a network such as 10.0.0.0/8, or * alone; without https://, port and path" .) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where probes and Prometheus reach the operator. */}}
{{- define "seatkeeper.checkListen" -}}
{{- $listen := include "seatkeeper.listen" . }}
{{- if not (regexMatch (printf "^(%s|\\[(%s)\\]):%s$" (include "seatkeeper.ipv4-pattern" .) (include "seatkeeper.ipv6-pattern" .) (include "seatkeeper.port-pattern" .)) $listen) }}
{{- fail (printf "listen: %s is no address with a port: write [::]:8080, or 0.0.0.0:8080 for IPv4 alone" $listen) }}
{{- else if regexMatch "^(127\\.|\\[[0:]*:([Ff]{4}:)?127\\.|\\[[0:]*:0{0,3}1\\])" $listen }}
{{- fail (printf "listen: %s is reached from inside the pod alone, so every probe would fail: listen at [::]:8080" $listen) }}
{{- end }}
{{- end }}

{{- /* A quantity of Kubernetes as a number. */}}
{{- define "seatkeeper.quantity" -}}
{{- $text := toString . }}
{{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text }}
{{- $factors := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- mulf (float64 $number) (float64 (get $factors (trimPrefix $number $text))) }}
{{- end }}

{{- /* What the pod may use and what it mounts. */}}
{{- define "seatkeeper.checkPod" -}}
{{- $limits := default (dict) (.Values.resources).limits }}
{{- range $name, $request := (.Values.resources).requests }}
{{- if and (hasKey $limits $name) (gt (include "seatkeeper.quantity" $request | float64) (include "seatkeeper.quantity" (get $limits $name) | float64)) }}
{{- fail (printf "resources.requests.%s: %v is above resources.limits.%s, which is %v: lower the request, or raise the limit" $name $request $name (get $limits $name)) }}
{{- end }}
{{- end }}
{{- if hasKey $limits "memory" }}
{{- $memory := include "seatkeeper.quantity" $limits.memory | float64 }}
{{- if and (gt $memory 0.0) (lt $memory 16777216.0) }}
{{- fail (printf "resources.limits.memory: %v is less than the operator needs at rest, so Kubernetes would kill it repeatedly: write at least 32Mi" $limits.memory) }}
{{- end }}
{{- end }}
{{- $bundle := or (.Values.caBundle).configMap (.Values.caBundle).secret }}
{{- $volumes := list }}
{{- range .Values.extraVolumes }}
{{- if has .name $volumes }}
{{- fail (printf "extraVolumes: two volumes have the name %s: give each a name of its own" .name) }}
{{- else if and $bundle (eq .name "ca-bundle") }}
{{- fail "extraVolumes: ca-bundle is the volume of the value caBundle: name yours otherwise" }}
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- $paths := ternary (list "/etc/seatkeeper/ca-bundle") (list) (not (empty $bundle)) }}
{{- range .Values.extraVolumeMounts }}
{{- if not (has .name $volumes) }}
{{- fail (printf "extraVolumeMounts: extraVolumes has no volume %s: add it there, or correct the name" .name) }}
{{- else if has .mountPath $paths }}
{{- fail (printf "extraVolumeMounts: two volumes would be at %s: give each a path of its own" .mountPath) }}
{{- end }}
{{- $paths = append $paths .mountPath }}
{{- end }}
{{- if and (eq (default "" .Values.dnsPolicy) "None") (not (.Values.dnsConfig).nameservers) }}
{{- fail "dnsPolicy: None leaves the pod without a name server: set dnsConfig.nameservers, or clear dnsPolicy" }}
{{- end }}
{{- end }}

{{- /* Pods that Kubernetes would refuse, or never start. */}}
{{- define "seatkeeper.checkPlacement" -}}
{{- $pod := default (dict) .Values.podSecurityContext }}
{{- $own := default (dict) .Values.securityContext }}
{{- $set := dict }}
{{- range $field := list "runAsUser" "runAsNonRoot" }}
{{- range $context := list $pod $own }}
{{- if not (kindIs "invalid" (dig $field nil $context)) }}
{{- $_ := set $set $field (get $context $field) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq (toString $set.runAsUser) "0") $set.runAsNonRoot }}
{{- fail "runAsUser: 0 is root, which runAsNonRoot forbids, so the pod would never start: write another user, or null for the user of the image" }}
{{- end }}
{{- range .Values.tolerations }}
{{- if and (eq (default "" .operator) "Exists") .value }}
{{- fail (printf "tolerations: the operator Exists takes no value, and %s is one: clear it, or write the operator Equal" .value) }}
{{- else if and (not .key) (ne (default "" .operator) "Exists") }}
{{- fail "tolerations: one has no key: name the key of the taint, or write the operator Exists to tolerate every taint" }}
{{- end }}
{{- end }}
{{- range .Values.extraEnvFrom }}
{{- if and .configMapRef .secretRef }}
{{- fail (printf "extraEnvFrom: one entry names the ConfigMap %s and the Secret %s: make two entries of it" .configMapRef.name .secretRef.name) }}
{{- else if not (or .configMapRef .secretRef) }}
{{- fail "extraEnvFrom: an entry names nothing: add configMapRef or secretRef to it" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Values that Prometheus would refuse, mostly without a message to the installer. */}}
{{- define "seatkeeper.checkMonitoring" -}}
{{- range $kind := list "serviceMonitor" "podMonitor" }}
{{- $monitor := default (dict) (get (default (dict) $.Values.metrics) $kind) }}
{{- $seconds := dict }}
{{- range $field := list "interval" "scrapeTimeout" }}
{{- with get $monitor $field }}
{{- $name := printf "metrics.%s.%s" $kind $field }}
{{- include "seatkeeper.checkDuration" (dict "name" $name "value" . "days" true) }}
{{- $_ := set $seconds $field (include "seatkeeper.seconds" . | int64) }}
{{- if eq (get $seconds $field) 0 }}
{{- fail (printf "%s must be longer than 0s: clear it to use the default of Prometheus" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (hasKey $seconds "interval") (gt (default 0 $seconds.scrapeTimeout) (default 0 $seconds.interval)) }}
{{- fail (printf "metrics.%s.scrapeTimeout: %s is above the interval, %s, so Prometheus would not scrape: lower it, or raise the interval" $kind $monitor.scrapeTimeout $monitor.interval) }}
{{- end }}
{{- end }}
{{- $matcher := "[A-Za-z_][A-Za-z0-9_]* *(=|!=|=~|!~) *(\"([^\"\\\\\\n]|\\\\[abfnrtv\\\\\"])*\"|'([^'\\\\\\n]|\\\\[abfnrtv\\\\'])*')" }}
{{- with (.Values.alerts).operatorSelector }}
{{- if not (regexMatch (printf "^ *%s( *, *%s)* *,? *$" $matcher $matcher) .) }}
{{- fail (printf "alerts.operatorSelector: %s selects no series, and Prometheus would load none of the alerts: write labels with quoted values, such as job=\"seatkeeper\", and each backslash twice" .) }}
{{- end }}
{{- range regexFindAll $matcher . -1 }}
{{- $quoted := regexFind "[\"'].*" . }}
{{- $value := regexReplaceAll "\\\\([\\\\\"'])" (substr 1 (int (sub (len $quoted) 1)) $quoted) "${1}" }}
{{- if regexMatch "^__name__[ =!]" . }}
{{- fail (printf "alerts.operatorSelector: %s selects by the metric, which each alert names itself, so Prometheus would load none of them: select by another label, such as job=\"seatkeeper\"" .) }}
{{- else if and (regexMatch "^[A-Za-z0-9_]+ *[=!]~" .) (not (regexMatch (printf "|%s" $value) "")) }}
{{- fail (printf "alerts.operatorSelector: Prometheus cannot read the regular expression of %s, and would load none of the alerts: close each bracket, and give each *, + and ? something to repeat" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $label, $_ := (.Values.alerts).ruleLabels }}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $label) }}
{{- fail (printf "alerts.ruleLabels: %s is no label of Prometheus: write letters, digits and _ alone, such as cost_center" $label) }}
{{- else if eq $label "__name__" }}
{{- fail "alerts.ruleLabels: __name__ is the name of a metric, and Prometheus would load none of the alerts: choose another label, such as team" }}
{{- else if eq $label "severity" }}
{{- fail "alerts.ruleLabels: severity would be ignored, for each alert has its own: set alerts.rules.NAME.severity" }}
{{- else if eq $label "alertname" }}
{{- fail "alerts.ruleLabels: alertname would be ignored, for each alert has its own: set alerts.namePrefix" }}
{{- end }}
{{- end }}
{{- with (.Values.alerts).keepFiringFor }}
{{- include "seatkeeper.checkDuration" (dict "name" "alerts.keepFiringFor" "value" . "days" true) }}
{{- end }}
{{- range $rule, $values := (.Values.alerts).rules }}
{{- if hasKey (default (dict) $values) "for" }}
{{- include "seatkeeper.checkDuration" (dict "name" (printf "alerts.rules.%s.for" $rule) "value" $values.for "days" true) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "seatkeeper.checkFlags" -}}
{{- $flags := default (dict) .Values.flags }}
{{- range $flag, $value := omit $flags "bitwarden-client-version" "concurrency" "lease-namespace" "lease-name" }}
{{- include "seatkeeper.checkDuration" (dict "name" (printf "flags.%s" $flag) "value" $value "days" false) }}
{{- end }}
{{- $seconds := dict }}
{{- range $flag, $default := (include "seatkeeper.flagDefaults" . | fromYaml) }}
{{- $_ := set $seconds $flag (include "seatkeeper.seconds" (default $default (get $flags $flag)) | int64) }}
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
{{- if ge (get $seconds "shutdown-grace") (include "seatkeeper.terminationGracePeriodSeconds" . | int64) }}
{{- fail "flags.shutdown-grace must be below terminationGracePeriodSeconds: Kubernetes would kill requests in flight" }}
{{- end }}
{{- end }}

{{- /* Flags that have a value of their own. The schema allows them below flags, because its own messages name no fix. */}}
{{- define "seatkeeper.checkArguments" -}}
{{- $own := dict "listen" "listen" "log-format" "log.format" "namespace" "watchNamespaces" "cluster-name" "clusterName" "allowed-host" "vendors.allowedHosts" "max-seats" "limits.maxSeats" "max-increase" "limits.maxIncrease" "vendor-proxy" "vendors.proxy.url" "vendor-no-proxy" "vendors.noProxy" "vendor-ca-bundle" "caBundle" }}
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
{{- $before := "" }}
{{- range .Values.extraArgs }}
{{- if not (or (regexMatch "^--[a-z]" .) (regexMatch "^--[a-z][a-z-]*$" $before)) }}
{{- fail (printf "extraArgs: %s is no flag: write --name=value, such as --concurrency=16" .) }}
{{- end }}
{{- $before = . }}
{{- with get $own (trimPrefix "--" (regexFind "^--[a-z-]+" .)) }}
{{- fail (printf "extraArgs: the chart gives this flag itself, by the value %s: set that one" .) }}
{{- end }}
{{- end }}
{{- include "seatkeeper.checkEnvironment" (dict "values" .Values "own" $own) }}
{{- end }}

{{- /* The environment: a flag by its variable would lose against the argument, and Helm cannot apply a variable that is there twice. */}}
{{- define "seatkeeper.checkEnvironment" -}}
{{- $names := list }}
{{- if (((.values.vendors).proxy).credentialsSecret).name }}
{{- $names = list "SEATKEEPER_VENDOR_PROXY_CREDENTIALS" }}
{{- end }}
{{- range $variable := .values.extraEnv }}
{{- if has $variable.name $names }}
{{- fail (printf "extraEnv: %s would be there twice: remove one%s" $variable.name (ternary ", or clear vendors.proxy.credentialsSecret.name" "" (eq $variable.name "SEATKEEPER_VENDOR_PROXY_CREDENTIALS"))) }}
{{- end }}
{{- $names = append $names $variable.name }}
{{- if hasPrefix "SEATKEEPER_" $variable.name }}
{{- with get $.own (trimPrefix "SEATKEEPER_" $variable.name | lower | replace "_" "-") }}
{{- fail (printf "extraEnv: %s: the chart gives this flag itself, by the value %s: set that one" $variable.name .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
