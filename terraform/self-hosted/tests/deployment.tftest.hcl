# What is made of the variables, with nothing behind it: `terraform test` asks no AWS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image           = "123456789012.dkr.ecr.us-east-1.amazonaws.com/causeway:1.0.0"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  config_toml     = <<-TOML
    [gateway]
    listen = "0.0.0.0:8080"
    public_url = "https://gateway.example.com/mcp"

    [sessions]
    key_env = ["CAUSEWAY_SESSION_KEY"]
  TOML
}

run "what_is_there_by_default" {
  assert {
    condition     = length(module.network) == 1 && length(module.network[0].private_subnet_ids) == 2
    error_message = "the network has a private subnet in each of two zones"
  }
  assert {
    condition     = length(aws_elasticache_serverless_cache.shared) == 0 && output.redis_url == null
    error_message = "nobody pays for a cache that nothing uses"
  }
  assert {
    condition     = aws_ecs_service.gateway[0].desired_count == 2 && aws_appautoscaling_target.replicas[0].min_capacity == 2
    error_message = "two replicas run"
  }
  assert {
    condition     = one(aws_ecs_service.gateway[0].deployment_circuit_breaker).rollback
    error_message = "a deployment that fails is taken back"
  }
  assert {
    condition     = aws_ecs_task_definition.gateway[0].skip_destroy
    error_message = "what it is taken back to is still a task definition that ECS starts tasks of"
  }
  assert {
    condition     = length(aws_iam_role_policy.task) == 0
    error_message = "a gateway that calls nothing on AWS may call nothing there"
  }
  assert {
    condition     = aws_lb.this.internal == false && length(aws_lb.this.subnets) == 2
    error_message = "the load balancer is in the public subnets"
  }
  assert {
    condition     = output.url == "https://gateway.example.com/mcp"
    error_message = "the URL is that of config.toml"
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "unanswered", "unhealthy", "replicas", "latency", "cpu", "memory"])
    error_message = "there is an alarm for each of seven"
  }
}

run "the_container_is_told_all_it_needs" {
  variables {
    secrets = {
      CALCULATOR_CLIENT_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:calculator-AbCdEf:client_secret::"
      WEATHER_API_KEY          = "arn:aws:ssm:us-east-1:123456789012:parameter/causeway/weather"
    }
    environment = { RUST_LOG = "info" }
  }

  assert {
    condition = { for each in jsondecode(aws_ecs_task_definition.gateway[0].container_definitions)[0].environment : each.name => each.value } == {
      AWS_REGION           = "us-east-1"
      CAUSEWAY_CONFIG_TOML = var.config_toml
      RUST_LOG             = "info"
    }
    error_message = "the environment is the configuration, the region and what was given"
  }
  assert {
    condition = { for each in jsondecode(aws_ecs_task_definition.gateway[0].container_definitions)[0].secrets : each.name => each.valueFrom } == {
      CALCULATOR_CLIENT_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:calculator-AbCdEf:client_secret::"
      WEATHER_API_KEY          = "arn:aws:ssm:us-east-1:123456789012:parameter/causeway/weather"
      CAUSEWAY_SESSION_KEY     = "arn:aws:secretsmanager:us-east-1:123456789012:secret:causeway/session-key-AbCdEf:::11111111-2222-3333-4444-555555555555"
    }
    error_message = "secrets come by reference, the session key too"
  }
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.gateway[0].container_definitions) :
      container.readonlyRootFilesystem && container.user == "65532" && container.stopTimeout > 30 && container.linuxParameters.capabilities.drop == ["ALL"]
    ])
    error_message = "the container may change nothing, is nobody, and has time to end"
  }
  assert {
    condition     = one([for each in jsondecode(aws_iam_role_policy.execution.policy).Statement : each.Resource if each.Sid == "SecretsOfVariables"])[1] == "arn:aws:secretsmanager:us-east-1:123456789012:secret:calculator-AbCdEf"
    error_message = "starting a task reads the whole secret, without the member's name"
  }
}

run "a_domain_gets_a_certificate_and_a_record" {
  variables {
    certificate_arn = null
    domain_name     = "gateway.example.com"
    hosted_zone_id  = "Z0123456789ABCDEFGHIJ"
  }

  assert {
    condition     = length(module.certificate) == 1 && aws_route53_record.gateway[0].name == "gateway.example.com"
    error_message = "the domain leads to the load balancer"
  }
}

run "replicas_share_a_cache_when_told_so" {
  variables {
    shared_state = true
  }

  assert {
    condition     = output.redis_url == "rediss://causeway-gateway@causeway-abc123.serverless.use1.cache.amazonaws.com:6379?aws_iam_cache=${aws_elasticache_serverless_cache.shared[0].name}"
    error_message = "the URL says TLS and the user, and no password"
  }
  assert {
    condition     = one(aws_elasticache_user.gateway[0].authentication_mode).type == "iam"
    error_message = "the user signs in with IAM"
  }
  assert {
    condition     = one(jsondecode(aws_iam_role_policy.task[0].policy).Statement).Action == ["elasticache:Connect"]
    error_message = "the gateway's role may connect to it"
  }
}

run "a_network_that_is_there_is_used" {
  variables {
    network = {
      vpc_id             = "vpc-1"
      public_subnet_ids  = ["subnet-1", "subnet-2"]
      private_subnet_ids = ["subnet-3", "subnet-4"]
    }
  }

  assert {
    condition     = length(module.network) == 0 && toset(one(aws_ecs_service.gateway[0].network_configuration).subnets) == toset(["subnet-3", "subnet-4"])
    error_message = "the tasks are in the private subnets that were given"
  }
}

run "without_an_image_all_but_the_service_is_made" {
  variables {
    image             = null
    create_repository = true
  }

  assert {
    condition     = length(aws_ecs_service.gateway) == 0 && length(aws_cloudwatch_metric_alarm.this) == 0 && length(aws_ecr_repository.gateway) == 1
    error_message = "there is a repository to push to, and nothing that would fail to start"
  }
  assert {
    condition     = aws_ecr_repository.gateway[0].force_delete
    error_message = "AWS deletes no repository that has images, and `terraform destroy` would stop half-way"
  }
}

run "a_new_session_key_comes_beside_the_one_before" {
  variables {
    session_key_version = 2
    config_toml         = <<-TOML
      [gateway]
      listen = "0.0.0.0:8080"
      public_url = "https://gateway.example.com/mcp"

      [sessions]
      key_env = ["CAUSEWAY_SESSION_KEY", "CAUSEWAY_SESSION_KEY_BEFORE"]
    TOML
  }

  assert {
    condition     = module.session_key[0].variables.CAUSEWAY_SESSION_KEY_BEFORE == "arn:aws:secretsmanager:us-east-1:123456789012:secret:causeway/session-key-AbCdEf::AWSPREVIOUS:"
    error_message = "the key of before is read too"
  }
}

run "a_session_key_of_ones_own_is_used" {
  variables {
    session_key_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ours-AbCdEf"
  }

  assert {
    condition     = length(module.session_key) == 0 && strcontains(aws_ecs_task_definition.gateway[0].container_definitions, "secret:ours-AbCdEf")
    error_message = "no other key is made"
  }
}

run "without_internet_there_are_endpoints" {
  variables {
    egress = "endpoints"
  }

  assert {
    condition     = length(module.network) == 1
    error_message = "the network is made"
  }
}
