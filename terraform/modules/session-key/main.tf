# The key that seals sessions, the same in all replicas. It is made up while it is written, and what is only written (`_wo`) is in no
# plan and in no state.

resource "aws_secretsmanager_secret" "key" {
  #checkov:skip=CKV_AWS_149:Secrets Manager encrypts secrets in any case; `kms_key_arn` has them encrypted with a key of yours.
  #checkov:skip=CKV2_AWS_57:`key_version` makes a new key and keeps the one before; a schedule alone would end all sessions.
  name_prefix             = "${var.name}/session-key-"
  description             = "Seals sessions of the Causeway deployment ${var.name}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "key" {
  secret_id = aws_secretsmanager_secret.key.id
  # 256 bits out of the 488 that are random in four UUIDs.
  secret_string_wo         = base64sha256(join("", [for _ in range(4) : uuid()]))
  secret_string_wo_version = var.key_version
}
