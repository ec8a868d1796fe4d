# The settings that a server reads at its start, in a secret whose id it finds in RUNTIME_CONFIG_SECRET_ID.

locals {
  # What the server may query is one of its settings, from the same list that its role's policy is made of.
  settings = merge(var.settings, length(var.log_groups) == 0 ? {} : { ALLOWED_LOG_GROUPS = join(",", var.log_groups) })
  content  = jsonencode(local.settings)
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted with Secrets Manager's own key; a key of KMS would cost money and add no reader to keep out.
  #checkov:skip=CKV2_AWS_57:Settings do not rotate.
  name        = "${var.name}-runtime-config"
  description = "Settings of the MCP server ${var.name}"
  # Gone at once when it is destroyed: what is in it is made of the variables again, and the name is free for the next deployment.
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id = aws_secretsmanager_secret.this.id
  # Never in the state. The version is of the content, so that a changed setting is written.
  secret_string_wo         = local.content
  secret_string_wo_version = parseint(substr(sha256(local.content), 0, 12), 16)
}
