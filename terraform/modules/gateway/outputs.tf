output "id" {
  description = "Id of the gateway, once its role may call targets: a target is listed as soon as it is made."
  value       = aws_bedrockagentcore_gateway.this.gateway_id
  depends_on  = [aws_iam_role_policy.this]
}

output "arn" {
  description = "ARN of the gateway."
  value       = aws_bedrockagentcore_gateway.this.gateway_arn
}

output "url" {
  description = "URL of its MCP endpoint."
  value       = aws_bedrockagentcore_gateway.this.gateway_url
}

output "role_arn" {
  description = "ARN of its role."
  value       = aws_iam_role.this.arn
}
