{{- define "seatkeeper.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "seatkeeper.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "seatkeeper.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "seatkeeper.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "seatkeeper.selectorLabels" -}}
app.kubernetes.io/name: {{ include "seatkeeper.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "seatkeeper.labels" -}}
helm.sh/chart: {{ include "seatkeeper.chart" . }}
{{ include "seatkeeper.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "seatkeeper.serviceAccountName" -}}
{{- if dig "create" true (default (dict) .Values.serviceAccount) }}
{{- default (include "seatkeeper.fullname" .) (.Values.serviceAccount).name }}
{{- else }}
{{- default "default" (.Values.serviceAccount).name }}
{{- end }}
{{- end }}

{{- /* The namespaces to manage, as JSON; none: all. */}}
{{- define "seatkeeper.watchNamespaces" -}}
{{- $one := default "" .Values.watchNamespace }}
{{- $several := default (list) .Values.watchNamespaces }}
{{- if and $one $several }}
{{- fail "watchNamespace and watchNamespaces exclude each other: put the one namespace first into watchNamespaces, and clear watchNamespace" }}
{{- end }}
{{- toJson (ternary (list $one) $several (ne $one "")) }}
{{- end }}

{{- define "seatkeeper.leaseNamespace" -}}
{{- default (include "seatkeeper.namespace" .) (get (default (dict) .Values.flags) "lease-namespace") }}
{{- end }}

{{- define "seatkeeper.image" -}}
{{- $repository := default "ghcr.io/seatkeeper/seatkeeper" (.Values.image).repository }}
{{- with default (.Values.image).registry ((.Values.global).imageRegistry) }}
{{- $parts := splitList "/" $repository }}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) }}
{{- $repository = join "/" (rest $parts) }}
{{- end }}
{{- $repository = printf "%s/%s" . $repository }}
{{- end }}
{{- if (.Values.image).digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion (.Values.image).tag) }}
{{- end }}
{{- end }}

{{- define "seatkeeper.pullPolicy" -}}
{{- default "IfNotPresent" (.Values.image).pullPolicy }}
{{- end }}

{{- define "seatkeeper.terminationGracePeriodSeconds" -}}
{{- int64 (default 15 .Values.terminationGracePeriodSeconds) }}
{{- end }}

{{- /* As JSON, each once. An umbrella chart names them as it likes: by name alone, or as a pod does. */}}
{{- define "seatkeeper.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat (default (list) ((.Values.global).imagePullSecrets)) (default (list) .Values.imagePullSecrets) }}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) }}
{{- end }}
{{- toJson (uniq $secrets) }}
{{- end }}

{{- /* Where the operator listens. A release from before this value, upgraded with --reuse-values, has none. */}}
{{- define "seatkeeper.listen" -}}
{{- default "0.0.0.0:8080" .Values.listen }}
{{- end }}

{{- define "seatkeeper.port" -}}
{{- regexFind "[0-9]+$" (include "seatkeeper.listen" .) }}
{{- end }}

{{- /* A securityContext without its null fields, as JSON. Helm drops what is set to null, and so nothing tells it from a value that a
release from before did not have; that release is known by `listen`, which is never null. */}}
{{- define "seatkeeper.securityContext" -}}
{{- $context := dict }}
{{- if or (hasKey .values .name) .values.listen }}
{{- range $field, $value := (default (dict) (get .values .name)) }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $context $field $value }}
{{- end }}
{{- end }}
{{- else }}
{{- $context = .before }}
{{- end }}
{{- toJson $context }}
{{- end }}

{{- define "seatkeeper.podSecurityContext" -}}
{{- $seccomp := dict "type" "RuntimeDefault" }}
{{- $before := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "seccompProfile" $seccomp }}
{{- include "seatkeeper.securityContext" (dict "values" .Values "name" "podSecurityContext" "before" $before) }}
{{- end }}

{{- define "seatkeeper.containerSecurityContext" -}}
{{- $drop := dict "drop" (list "ALL") }}
{{- $before := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" $drop }}
{{- include "seatkeeper.securityContext" (dict "values" .Values "name" "securityContext" "before" $before) }}
{{- end }}

{{- /* Of the pod of `helm test`. Not those that the operator's Service, PodDisruptionBudget and NetworkPolicy select. */}}
{{- define "seatkeeper.testLabels" -}}
app.kubernetes.io/name: {{ printf "%s-test" (include "seatkeeper.name" . | trunc 58 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "seatkeeper.testName" -}}
{{- printf "%s-test" (include "seatkeeper.fullname" . | trunc 58 | trimSuffix "-") }}
{{- end }}
