# Commands of Causeway for what was made, ready to paste. None holds a secret: they read it from the state or the environment. None has
# a double quote or a backslash: `terraform output` would show them escaped.

locals {
  # What a shell assigns is one word, whatever is in it.
  with_secret = "CLIENT_SECRET=$(terraform output -raw client_secret)"

  # What gets a token for the gateway: one for programs, and one for the test user, if there is one.
  of_programs = [
    for pool in module.user_pool :
    "--token-endpoint ${pool.token_endpoint} --client-id ${pool.client_id} --scope ${pool.scope} --client-secret-env CLIENT_SECRET"
  ]
  of_people = {
    for suffix, pool in var.test_user.create ? merge({ for pool in module.user_pool : "" => pool }, { for name, pool in module.server_pool : "_${name}" => pool }) : {} :
    "get_user_token${suffix}" => "causeway token password --user-pool-id ${pool.user_pool_id} --client-id ${pool.user_client_id} --username ${var.test_user.username} --raw"
  }

  client = "--url ${module.gateway.url} --name ${var.gateway_name}"

  with_jwt_commands = [
    for program in local.of_programs : {
      get_token          = "${local.with_secret} causeway token client-credentials ${program} --raw"
      list_tools         = "${local.with_secret} causeway tools ${module.gateway.url} ${program}"
      configure_vscode   = "causeway client vscode --write ${local.client} --auth token-prompt"
      configure_amazon_q = "causeway client amazon-q --write ${local.client} --auth token-env"
    }
  ]

  with_iam_commands = {
    list_tools         = "causeway tools ${module.gateway.arn}"
    configure_vscode   = "causeway client vscode --write ${local.client} --auth sigv4 -- --region ${var.region}"
    configure_amazon_q = "causeway client amazon-q --write ${local.client} --auth sigv4 -- --region ${var.region}"
  }

  # AgentCore Identity keeps the secrets of the servers' clients, under names with a `!`, which a shell would take for its own.
  of_servers = {
    for name, server in local.servers : "list_tools_${name}" => join(" ", concat(
      ["causeway tools ${module.runtime[name].arn}"],
      server.uses_jwt ? [
        "--token-endpoint ${module.server_pool[name].token_endpoint} --client-id ${module.server_pool[name].client_id}",
        "--scope ${module.server_pool[name].scope} --client-secret-arn '${module.server_identity[name].secret_arn}'",
      ] : [],
    ))
  }

  commands = merge(var.gateway_authorizer == "jwt" ? one(local.with_jwt_commands) : local.with_iam_commands, local.of_people, local.of_servers)
}
