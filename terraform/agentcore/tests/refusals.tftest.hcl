# What cannot work is refused before anything is made.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  gateway_name = "tools"
}

run "a_region_that_is_none" {
  command = plan

  variables {
    region = "Virginia"
  }

  expect_failures = [var.region]
}

run "an_account_that_is_none" {
  command = plan

  variables {
    account_id = "tools"
  }

  expect_failures = [var.account_id]
}

run "a_gateway_name_with_an_underscore" {
  command = plan

  variables {
    gateway_name = "team_tools"
  }

  expect_failures = [var.gateway_name]
}

run "a_gateway_name_that_is_too_long" {
  command = plan

  variables {
    gateway_name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.gateway_name]
}

run "a_gateway_description_that_is_too_long" {
  command = plan

  variables {
    gateway_description = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.gateway_description]
}

run "an_authorizer_that_is_none" {
  command = plan

  variables {
    gateway_authorizer = "none"
  }

  expect_failures = [var.gateway_authorizer]
}

run "a_version_of_mcp_that_is_none" {
  command = plan

  variables {
    mcp = { versions = ["latest"] }
  }

  expect_failures = [var.mcp]
}

run "a_callback_url_without_tls" {
  command = plan

  variables {
    callback_urls = ["http://gateway.example.com/callback"]
  }

  expect_failures = [var.callback_urls]
}

run "a_password_policy_that_cognito_refuses" {
  command = plan

  variables {
    password_policy = { minimum_length = 6 }
  }

  expect_failures = [var.password_policy]
}

run "a_test_user_without_a_password" {
  command = plan

  variables {
    test_user = { create = true }
  }

  expect_failures = [var.test_user_password]
}

run "a_test_user_with_a_short_password" {
  command = plan

  variables {
    test_user          = { create = true }
    test_user_password = "Short-1"
  }

  expect_failures = [var.test_user_password]
}

run "a_server_name_with_an_underscore" {
  command = plan

  variables {
    servers = { my_server = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "a_server_name_of_one_letter" {
  command = plan

  variables {
    servers = { a = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "a_server_name_that_is_too_long" {
  command = plan

  variables {
    servers = { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "two_servers_whose_names_differ_in_capitals" {
  command = plan

  variables {
    servers = { calculator = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" }, Calculator = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "a_server_without_image_and_source" {
  command = plan

  variables {
    servers = { one = {} }
  }

  expect_failures = [var.servers]
}

run "a_server_with_image_and_source" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", source_directory = "./sample-server" } }
  }

  expect_failures = [var.servers]
}

run "a_source_without_a_dockerfile" {
  command = plan

  variables {
    servers = { one = { source_directory = "./tests" } }
  }

  expect_failures = [var.servers]
}

run "an_image_that_is_not_of_ecr" {
  command = plan

  variables {
    servers = { one = { image_uri = "docker.io/library/nginx:1" } }
  }

  expect_failures = [var.servers]
}

run "an_image_without_a_tag" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a" } }
  }

  expect_failures = [var.servers]
}

run "a_repository_for_an_image_that_is_given" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", ecr_repository = "mine" } }
  }

  expect_failures = [var.servers]
}

run "all_log_groups" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", log_groups = ["*"] } }
  }

  expect_failures = [var.servers]
}

run "a_star_within_a_log_group" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", log_groups = ["/aws/*/orders"] } }
  }

  expect_failures = [var.servers]
}

run "a_second_list_of_log_groups" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", runtime_config = { ALLOWED_LOG_GROUPS = "/other" } } }
  }

  expect_failures = [var.servers]
}

run "a_role_that_is_no_arn" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", execution_role_arn = "my-role" } }
  }

  expect_failures = [var.servers]
}

run "an_authorization_that_is_none" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", authorization = "none" } }
  }

  expect_failures = [var.servers]
}

run "a_vpc_without_security_groups" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", subnet_ids = ["subnet-0123456789abcdef0"] } }
  }

  expect_failures = [var.servers]
}

run "a_timeout_that_is_too_short" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", idle_timeout_seconds = 30 } }
  }

  expect_failures = [var.servers]
}

run "a_session_that_is_idle_for_longer_than_it_lives" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1", idle_timeout_seconds = 900, max_lifetime_seconds = 600 } }
  }

  expect_failures = [var.servers]
}

run "a_server_named_as_the_gateway" {
  command = plan

  variables {
    servers = { Tools = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "a_server_whose_role_is_named_as_the_gateways" {
  command = plan

  variables {
    gateway_name = "one-execution"
    servers      = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
  }

  expect_failures = [var.servers]
}

run "a_server_whose_credential_provider_is_named_as_a_targets" {
  command = plan

  variables {
    servers        = { tools-a = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
    targets        = { a = { endpoint = "https://a.example.com/mcp", client_credentials = { client_id = "c", discovery_url = "https://a.example.com/.well-known/openid-configuration" } } }
    target_secrets = { a = "hush" }
  }

  expect_failures = [var.targets]
}

run "a_target_whose_credential_provider_has_too_long_a_name" {
  command = plan

  variables {
    gateway_name   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    targets        = { bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = { endpoint = "https://a.example.com/mcp", client_credentials = { client_id = "c", discovery_url = "https://a.example.com/.well-known/openid-configuration" } } }
    target_secrets = { bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = "hush" }
  }

  expect_failures = [var.targets]
}

run "a_password_that_the_policy_does_not_take" {
  command = plan

  variables {
    test_user          = { create = true }
    test_user_password = "correct-horse-battery"
  }

  expect_failures = [var.test_user_password]
}

run "a_target_name_with_an_underscore" {
  command = plan

  variables {
    targets = { my_target = { endpoint = "https://a.example.com/mcp" } }
  }

  expect_failures = [var.targets]
}

run "a_target_named_as_a_servers" {
  command = plan

  variables {
    servers = { one = { image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }
    targets = { one-target = { endpoint = "https://a.example.com/mcp" } }
  }

  expect_failures = [var.targets]
}

run "a_target_without_tls" {
  command = plan

  variables {
    targets = { a = { endpoint = "http://a.example.com/mcp" } }
  }

  expect_failures = [var.targets]
}

run "a_client_without_an_issuer" {
  command = plan

  variables {
    targets        = { a = { endpoint = "https://a.example.com/mcp", client_credentials = { client_id = "c" } } }
    target_secrets = { a = "hush" }
  }

  expect_failures = [var.targets]
}

run "a_discovery_url_that_is_an_issuer" {
  command = plan

  variables {
    targets        = { a = { endpoint = "https://a.example.com/mcp", client_credentials = { client_id = "c", discovery_url = "https://a.example.com" } } }
    target_secrets = { a = "hush" }
  }

  expect_failures = [var.targets]
}

run "a_client_without_its_secret" {
  command = plan

  variables {
    targets = { a = { endpoint = "https://a.example.com/mcp", client_credentials = { client_id = "c", discovery_url = "https://a.example.com/.well-known/openid-configuration" } } }
  }

  expect_failures = [var.target_secrets]
}
