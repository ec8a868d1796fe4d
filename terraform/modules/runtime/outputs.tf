output "id" {
  description = "Id of the Runtime."
  value       = aws_bedrockagentcore_agent_runtime.this.agent_runtime_id
}

output "arn" {
  description = "ARN of the Runtime."
  value       = aws_bedrockagentcore_agent_runtime.this.agent_runtime_arn
}

output "endpoint" {
  description = "URL at which its MCP server is called."
  value = format(
    "https://bedrock-agentcore.%s.%s/runtimes/%s/invocations?qualifier=DEFAULT",
    var.region, var.dns_suffix, urlencode(aws_bedrockagentcore_agent_runtime.this.agent_runtime_arn),
  )
}

output "log_group" {
  description = "Log group that Runtime makes for it."
  value       = "/aws/bedrock-agentcore/runtimes/${aws_bedrockagentcore_agent_runtime.this.agent_runtime_id}-DEFAULT"
}
