# A cache that replicas share. Its only user is the gateway's role, which signs in with a token of IAM: there is no password.

locals {
  cache = one(aws_elasticache_serverless_cache.shared[*])
  # The user is a part of the URL, and so is the name of the cache, for which the gateway makes its passwords; a password is not.
  redis_url = var.shared_state ? "rediss://${aws_elasticache_user.gateway[0].user_name}@${local.cache.endpoint[0].address}:${local.cache.endpoint[0].port}?aws_iam_cache=${local.cache.name}" : null
}

resource "aws_elasticache_serverless_cache" "shared" {
  count = var.shared_state ? 1 : 0

  name                 = var.name
  description          = "What the replicas of the Causeway deployment ${var.name} share"
  engine               = "valkey"
  major_engine_version = "8"
  subnet_ids           = local.network.private_subnet_ids
  security_group_ids   = aws_security_group.shared[*].id
  user_group_id        = aws_elasticache_user_group.shared[0].user_group_id
  kms_key_id           = var.kms_key_arn

  cache_usage_limits {
    data_storage {
      maximum = var.shared_state_limits.storage_gb
      unit    = "GB"
    }

    ecpu_per_second {
      maximum = var.shared_state_limits.ecpu_per_second
    }
  }
}

resource "aws_elasticache_user_group" "shared" {
  count = var.shared_state ? 1 : 0

  engine        = "valkey"
  user_group_id = var.name
  user_ids      = aws_elasticache_user.gateway[*].user_id
}

resource "aws_elasticache_user" "gateway" {
  count = var.shared_state ? 1 : 0

  # IAM wants both names the same.
  user_id       = "${var.name}-gateway"
  user_name     = "${var.name}-gateway"
  engine        = "valkey"
  access_string = "on ~causeway:* resetchannels &causeway:* -@all +@read +@write +@scripting +@connection -@dangerous +time"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_security_group" "shared" {
  count = var.shared_state ? 1 : 0

  name        = "${var.name}-shared-state"
  description = "What replicas of the gateway share"
  vpc_id      = local.network.vpc_id
  tags        = { Name = "${var.name}-shared-state" }
}

# 6379 writes and reads, 6380 reads from the nearest copy.
resource "aws_vpc_security_group_ingress_rule" "shared" {
  count = var.shared_state ? 1 : 0

  security_group_id            = aws_security_group.shared[0].id
  description                  = "The gateway"
  referenced_security_group_id = aws_security_group.gateway.id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6380
}

resource "aws_vpc_security_group_egress_rule" "to_shared" {
  count = var.shared_state ? 1 : 0

  security_group_id            = aws_security_group.gateway.id
  description                  = "What replicas share"
  referenced_security_group_id = aws_security_group.shared[0].id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6380
}
