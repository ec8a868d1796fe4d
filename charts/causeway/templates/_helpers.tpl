{{/* The port of clients and that of who runs the gateway. config.toml knows them as well. */}}
{{- define "causeway.port" -}}8080{{- end -}}
{{- define "causeway.adminPort" -}}8081{{- end -}}

{{- define "causeway.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "causeway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "causeway.labels" -}}
{{ include "causeway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "causeway.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "causeway.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "causeway.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "causeway.configMap" -}}
{{- .Values.existingConfigMap | default (include "causeway.name" .) -}}
{{- end -}}

{{- define "causeway.sessionSecret" -}}
{{- .Values.sessionKey.existingSecret | default (printf "%s-session-key" (include "causeway.name" .)) -}}
{{- end -}}

{{/* Mistakes that would only show once pods run. */}}
{{- define "causeway.check" -}}
{{- if not .Values.existingConfigMap -}}
{{- $config := required "`config` is empty: give the text of config.toml with `--set-file config=config.toml`, or the name of a ConfigMap with `existingConfigMap`" .Values.config -}}
{{- if not (regexMatch `(?m)^\s*(gateway\.)?listen\s*=\s*"(0\.0\.0\.0|\[::\]):8080"` $config) -}}
{{- fail "`config` lets nobody in from outside its pod: write `listen = \"0.0.0.0:8080\"` below [gateway]" -}}
{{- end -}}
{{- if not (or (regexMatch `(?m)^[^#\n]*CAUSEWAY_SESSION_KEY"` $config) (regexMatch `(?m)^\s*(sessions\.)?mode\s*=\s*"off"` $config)) -}}
{{- fail "`config` has each replica make a key for sessions, and none can read those of another: write `key_env = [\"CAUSEWAY_SESSION_KEY\"]` below [sessions]; the key is made by the chart" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not (regexMatch `(?m)^\s*(gateway\.)?public_url\s*=\s*"https?://` $config)) -}}
{{- fail (printf "`config` does not say by which URL clients know the gateway: write `public_url = \"https://%s/mcp\"` below [gateway]" .Values.ingress.host) -}}
{{- end -}}
{{- if and .Values.admin.enabled (not (regexMatch `(?m)^\s*(admin\.)?listen\s*=\s*"(0\.0\.0\.0|\[::\]):8081"` $config)) -}}
{{- fail "`admin.enabled` needs the admin port to be reached from outside its pod: write `listen = \"0.0.0.0:8081\"` below [admin] in `config`" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not (regexMatch `(?m)^\s*(admin\.)?metrics\s*=\s*"anyone"` $config)) -}}
{{- fail "`serviceMonitor.enabled` needs metrics that are read without a token: write `metrics = \"anyone\"` below [admin] in `config`" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.admin.enabled) -}}
{{- fail "`serviceMonitor.enabled` needs the port where metrics are: set `admin.enabled` to true" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.adminFrom) -}}
{{- fail "`serviceMonitor.enabled` needs Prometheus to reach port 8081: say in `networkPolicy.adminFrom` where it is, as `from` of a NetworkPolicy has it" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "`ingress.enabled` needs `ingress.host`, such as gateway.example.com" -}}
{{- end -}}
{{- if and .Values.sharedState.enabled (not .Values.sharedState.existingSecret) -}}
{{- fail "`sharedState.enabled` needs `sharedState.existingSecret`, a Secret with the URL under the key `redis-url`" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) -}}
{{- fail "`autoscaling.maxReplicas` is below `autoscaling.minReplicas`: write the same number or a higher one" -}}
{{- end -}}
{{- end -}}
