# What runs.

resource "aws_security_group" "gateway" {
  name        = "${var.name}-gateway"
  description = "The gateway"
  vpc_id      = local.network.vpc_id
  tags        = { Name = "${var.name}-gateway" }
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.gateway.id
  description                  = "Calls and health checks"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

# What belongs to a call that waits in one replica, the others pass on to that one.
resource "aws_vpc_security_group_ingress_rule" "from_replicas" {
  security_group_id            = aws_security_group.gateway.id
  description                  = "Other replicas"
  referenced_security_group_id = aws_security_group.gateway.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_egress_rule" "to_replicas" {
  security_group_id            = aws_security_group.gateway.id
  description                  = "Other replicas"
  referenced_security_group_id = aws_security_group.gateway.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_vpc_security_group_ingress_rule" "admin" {
  for_each = toset(var.admin_security_group_ids)

  security_group_id            = aws_security_group.gateway.id
  description                  = "The admin port"
  referenced_security_group_id = each.key
  ip_protocol                  = "tcp"
  from_port                    = local.admin_port
  to_port                      = local.admin_port
}

# Where servers and issuers are is for config.toml to say, so only the ports are bounded here.
resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = toset([for port in var.egress_ports : tostring(port)])

  security_group_id = aws_security_group.gateway.id
  description       = "Servers, issuers and AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:`container_insights` is for whoever wants it; it costs by the task, and the gateway has metrics of its own.
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

locals {
  environment = merge(
    var.environment,
    { CAUSEWAY_CONFIG_TOML = var.config_toml },
    # Where AWS is asked, if config.toml does not say so.
    { AWS_REGION = var.region },
    local.redis_url == null ? {} : { CAUSEWAY_REDIS_URL = local.redis_url },
  )

  container = {
    name                   = "gateway"
    image                  = var.image
    essential              = true
    command                = ["serve"]
    user                   = "65532"
    readonlyRootFilesystem = true
    stopTimeout            = local.stop_timeout

    # A process that lives and answers nothing is replaced. Whether it is ready for calls is for the load balancer to ask.
    healthCheck = {
      command     = ["CMD", "/causeway", "health"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }

    linuxParameters = {
      # Servers that the gateway starts as its children (stdio) leave children of their own behind now and then.
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }
    # One for each connection of a client (5000 by default) and for each to a server.
    ulimits = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]

    portMappings = [for port in [local.port, local.admin_port] : { containerPort = port, hostPort = port, protocol = "tcp" }]
    environment  = [for name, value in local.environment : { name = name, value = value }]
    secrets      = [for name, arn in merge(var.secrets, local.session_key.variables) : { name = name, valueFrom = arn }]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.gateway.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "gateway"
        # Calls are not to wait for their log lines.
        mode            = "non-blocking"
        max-buffer-size = "25m"
      }
    }
  }
}

resource "aws_ecs_task_definition" "gateway" {
  count = local.runs ? 1 : 0

  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.container])
  # The one before stays: Terraform would deregister it before the service has the new one, and ECS goes back to none that is INACTIVE
  # (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html).
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  # Tasks that start before the role may read what they need fail, and the deployment with them.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task]
}

resource "aws_ecs_service" "gateway" {
  count = local.runs ? 1 : 0

  name                               = "gateway"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.gateway[0].arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = var.min_replicas
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  # A deployment that is rolled back has failed, and whoever applied it is to know.
  wait_for_steady_state = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.network.private_subnet_ids
    security_groups  = [aws_security_group.gateway.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.gateway.arn
    container_name   = local.container.name
    container_port   = local.port
  }

  lifecycle {
    # How many there are is for scaling.tf to say.
    ignore_changes = [desired_count]
  }

  # A target group that no listener leads to has no load balancer that would check it. Tasks that nothing lets out cannot fetch their
  # image; and on the way down, calls under way keep their connections until the tasks are gone.
  depends_on = [
    aws_lb_listener_rule.gateway,
    aws_vpc_security_group_egress_rule.out,
    aws_vpc_security_group_egress_rule.to_gateway,
    aws_vpc_security_group_egress_rule.to_replicas,
    aws_vpc_security_group_egress_rule.to_shared,
    aws_vpc_security_group_ingress_rule.from_load_balancer,
    aws_vpc_security_group_ingress_rule.from_replicas,
    aws_vpc_security_group_ingress_rule.shared,
  ]
}
