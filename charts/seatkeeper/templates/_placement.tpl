{{- /* Where a pod of the release runs and what the platform gives it: for the operator, and for the pod of `helm test`. */}}
{{- define "seatkeeper.placement" -}}
{{- $pod := dict }}
{{- range $field := list "priorityClassName" "runtimeClassName" "dnsPolicy" "dnsConfig" "hostAliases" "nodeSelector" "tolerations" }}
{{- with get $.Values $field }}
{{- $_ := set $pod $field . }}
{{- end }}
{{- end }}
{{- with (include "seatkeeper.imagePullSecrets" . | fromJsonArray) }}
{{- $_ := set $pod "imagePullSecrets" . }}
{{- end }}
{{- with (include "seatkeeper.podSecurityContext" . | fromJson) }}
{{- $_ := set $pod "securityContext" . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.hostUsers) }}
{{- $_ := set $pod "hostUsers" .Values.hostUsers }}
{{- end }}
{{- if $pod }}
{{- toYaml $pod }}
{{- end }}
{{- end }}
