locals {
  # The gateway's own port, for clients, and that of who runs it. The image and config.toml know them as well.
  port       = 8080
  admin_port = 8081

  # Open requests get limits.drain_seconds (30) once the gateway is told to end, and then it ends by itself. It is ended by force after
  # the longest time that ECS gives on Fargate.
  stop_timeout = 120

  # Nothing runs before there is an image.
  runs = var.image != null

  network = var.network != null ? var.network : {
    vpc_id             = module.network[0].vpc_id
    public_subnet_ids  = module.network[0].public_subnet_ids
    private_subnet_ids = module.network[0].private_subnet_ids
  }

  certificate_arn = var.certificate_arn != null ? var.certificate_arn : module.certificate[0].arn

  # As config.toml has it, because that is what clients are told.
  url = regex("(?m)^\\s*(?:gateway\\.)?public_url\\s*=\\s*\"(https://[^\"]+/mcp)\"", var.config_toml)[0]

  session_key = var.session_key_secret_arn == null ? module.session_key[0] : {
    secret_arn = var.session_key_secret_arn
    variables  = { CAUSEWAY_SESSION_KEY = var.session_key_secret_arn }
  }

  # An ARN alone, without the member of the secret that may follow.
  secret_arns = distinct([for arn in values(var.secrets) : join(":", slice(split(":", arn), 0, min(7, length(split(":", arn)))))])
}

data "aws_partition" "here" {}

data "aws_caller_identity" "here" {}
