# Wrong input is refused before anything is planned; each message says what to write instead.

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

run "a_name_with_capitals" {
  command = plan

  variables {
    name = "Causeway"
  }

  expect_failures = [var.name]
}

run "a_name_that_a_load_balancer_cannot_have" {
  command = plan

  variables {
    name = "internal-tools"
  }

  expect_failures = [var.name]
}

run "an_image_without_a_version" {
  command = plan

  variables {
    image = "example.com/causeway"
  }

  expect_failures = [var.image]
}

run "an_image_that_changes" {
  command = plan

  variables {
    image = "example.com/causeway:latest"
  }

  expect_failures = [var.image]
}

run "an_unknown_architecture" {
  command = plan

  variables {
    cpu_architecture = "arm64"
  }

  expect_failures = [var.cpu_architecture]
}

run "cpu_that_fargate_lacks" {
  command = plan

  variables {
    cpu = 700
  }

  expect_failures = [var.cpu]
}

run "memory_that_does_not_fit_the_cpu" {
  command = plan

  variables {
    cpu    = 1024
    memory = 1024
  }

  expect_failures = [var.memory]
}

run "a_configuration_on_loopback" {
  command = plan

  variables {
    config_toml = <<-TOML
      [gateway]
      listen = "127.0.0.1:8080"
      public_url = "https://gateway.example.com/mcp"

      [sessions]
      key_env = ["CAUSEWAY_SESSION_KEY"]
    TOML
  }

  expect_failures = [var.config_toml]
}

run "a_configuration_without_its_url" {
  command = plan

  variables {
    config_toml = <<-TOML
      [gateway]
      listen = "0.0.0.0:8080"
      #public_url = "https://gateway.example.com/mcp"

      [sessions]
      key_env = ["CAUSEWAY_SESSION_KEY"]
    TOML
  }

  expect_failures = [var.config_toml]
}

run "a_configuration_with_a_url_over_http" {
  command = plan

  variables {
    config_toml = <<-TOML
      [gateway]
      listen = "0.0.0.0:8080"
      public_url = "http://gateway.example.com/mcp"

      [sessions]
      key_env = ["CAUSEWAY_SESSION_KEY"]
    TOML
  }

  expect_failures = [var.config_toml]
}

run "a_configuration_with_a_session_key_for_each_replica" {
  command = plan

  variables {
    config_toml = <<-TOML
      [gateway]
      listen = "0.0.0.0:8080"
      public_url = "https://gateway.example.com/mcp"

      [sessions]
      #key_env = ["CAUSEWAY_SESSION_KEY"]
    TOML
  }

  expect_failures = [var.config_toml]
}

run "a_configuration_that_does_not_fit" {
  command = plan

  variables {
    config_toml = format("%s# %s\n", var.config_toml, join("", [for _ in range(1000) : "a comment that is repeated until all of it is far too long, "]))
  }

  expect_failures = [var.config_toml]
}

run "a_configuration_for_another_host" {
  command = plan

  variables {
    certificate_arn = null
    hosted_zone_id  = "Z0123456789ABCDEFGHIJ"
    domain_name     = "other.example.com"
  }

  expect_failures = [var.config_toml]
}

run "a_variable_that_is_set_already" {
  command = plan

  variables {
    environment = { CAUSEWAY_CONFIG_TOML = "[gateway]" }
  }

  expect_failures = [var.environment]
}

run "a_secret_itself" {
  command = plan

  variables {
    secrets = { WEATHER_API_KEY = "hunter2" }
  }

  expect_failures = [var.secrets]
}

run "a_secret_of_no_variable" {
  command = plan

  variables {
    secrets = { "weather-api-key" = "arn:aws:ssm:us-east-1:123456789012:parameter/weather" }
  }

  expect_failures = [var.secrets]
}

run "the_session_key_twice" {
  command = plan

  variables {
    secrets = { CAUSEWAY_SESSION_KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/key" }
  }

  expect_failures = [var.secrets]
}

run "all_secrets" {
  command = plan

  variables {
    readable_secret_arns = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:*"]
  }

  expect_failures = [var.readable_secret_arns]
}

run "an_alias_of_a_key" {
  command = plan

  variables {
    secret_kms_key_arns = ["arn:aws:kms:us-east-1:123456789012:alias/ours"]
  }

  expect_failures = [var.secret_kms_key_arns]
}

run "a_session_key_by_name" {
  command = plan

  variables {
    session_key_secret_arn = "session-key"
  }

  expect_failures = [var.session_key_secret_arn]
}

run "a_new_session_key_that_ends_sessions" {
  command = plan

  variables {
    session_key_version = 2
  }

  expect_failures = [var.session_key_version]
}

run "all_runtimes" {
  command = plan

  variables {
    runtime_arns = ["arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/*"]
  }

  expect_failures = [var.runtime_arns]
}

run "a_runtime_among_gateways" {
  command = plan

  variables {
    gateway_arns = ["arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/a"]
  }

  expect_failures = [var.gateway_arns]
}

run "a_function_by_name" {
  command = plan

  variables {
    function_arns = ["orders"]
  }

  expect_failures = [var.function_arns]
}

run "all_roles" {
  command = plan

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:role/*"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "a_network_in_one_zone" {
  command = plan

  variables {
    network = { vpc_id = "vpc-1", public_subnet_ids = ["subnet-1"], private_subnet_ids = ["subnet-2"] }
  }

  expect_failures = [var.network]
}

run "too_few_addresses" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/28"
  }

  expect_failures = [var.vpc_cidr]
}

run "one_zone" {
  command = plan

  variables {
    zone_count = 1
  }

  expect_failures = [var.zone_count]
}

run "an_unknown_way_out" {
  command = plan

  variables {
    egress = "internet"
  }

  expect_failures = [var.egress]
}

run "endpoints_without_the_registry" {
  command = plan

  variables {
    endpoint_services = ["logs", "secretsmanager"]
  }

  expect_failures = [var.endpoint_services]
}

run "no_way_to_https" {
  command = plan

  variables {
    egress_ports = [8000]
  }

  expect_failures = [var.egress_ports]
}

run "callers_by_name" {
  command = plan

  variables {
    allowed_cidrs = ["office"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "an_admin_port_that_is_on_loopback" {
  command = plan

  variables {
    admin_security_group_ids = ["sg-1"]
  }

  expect_failures = [var.admin_security_group_ids]
}

run "a_certificate_of_iam" {
  command = plan

  variables {
    certificate_arn = "arn:aws:iam::123456789012:server-certificate/ours"
  }

  expect_failures = [var.certificate_arn]
}

run "no_certificate" {
  command = plan

  variables {
    certificate_arn = null
  }

  expect_failures = [var.certificate_arn]
}

run "two_certificates" {
  command = plan

  variables {
    domain_name    = "gateway.example.com"
    hosted_zone_id = "Z0123456789ABCDEFGHIJ"
  }

  expect_failures = [var.certificate_arn]
}

run "a_url_in_place_of_a_name" {
  command = plan

  variables {
    domain_name = "https://gateway.example.com"
  }

  expect_failures = [var.domain_name]
}

run "a_zone_without_a_name" {
  command = plan

  variables {
    certificate_arn = null
    hosted_zone_id  = "Z0123456789ABCDEFGHIJ"
  }

  expect_failures = [var.hosted_zone_id]
}

run "a_timeout_that_cuts_streams" {
  command = plan

  variables {
    idle_timeout_seconds = 10
  }

  expect_failures = [var.idle_timeout_seconds]
}

run "a_drain_without_end" {
  command = plan

  variables {
    drain_seconds = 7200
  }

  expect_failures = [var.drain_seconds]
}

run "a_cookie_for_ever" {
  command = plan

  variables {
    sticky_seconds = 1000000
  }

  expect_failures = [var.sticky_seconds]
}

run "a_firewall_elsewhere" {
  command = plan

  variables {
    web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/1"
  }

  expect_failures = [var.web_acl_arn]
}

run "no_replica" {
  command = plan

  variables {
    min_replicas = 0
  }

  expect_failures = [var.min_replicas]
}

run "fewer_at_most_than_at_least" {
  command = plan

  variables {
    min_replicas = 4
    max_replicas = 3
  }

  expect_failures = [var.max_replicas]
}

run "all_of_the_cpu" {
  command = plan

  variables {
    cpu_target_percent = 100
  }

  expect_failures = [var.cpu_target_percent]
}

run "no_requests" {
  command = plan

  variables {
    requests_target_per_minute = 0
  }

  expect_failures = [var.requests_target_per_minute]
}

run "a_cache_of_nothing" {
  command = plan

  variables {
    shared_state_limits = { storage_gb = 0 }
  }

  expect_failures = [var.shared_state_limits]
}

run "logs_for_ten_days" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "a_key_by_alias" {
  command = plan

  variables {
    kms_key_arn = "alias/ours"
  }

  expect_failures = [var.kms_key_arn]
}

run "a_topic_by_name" {
  command = plan

  variables {
    alarm_topic_arns = ["alarms"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "an_alarm_always" {
  command = plan

  variables {
    latency_alarm_seconds = 0
  }

  expect_failures = [var.latency_alarm_seconds]
}
