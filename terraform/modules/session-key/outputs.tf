output "secret_arn" {
  description = "The secret that holds the key."
  value       = aws_secretsmanager_secret.key.arn
}

output "variables" {
  description = "Variables of a container's environment and which secret each is to hold, in the form that ECS reads: the key, and the one before if there was one."
  # A version named whole, so that a new key means a new task definition: replicas are replaced and read it.
  value = merge(
    { CAUSEWAY_SESSION_KEY = "${aws_secretsmanager_secret.key.arn}:::${aws_secretsmanager_secret_version.key.version_id}" },
    var.key_version > 1 ? { CAUSEWAY_SESSION_KEY_BEFORE = "${aws_secretsmanager_secret.key.arn}::AWSPREVIOUS:" } : {},
  )
}
