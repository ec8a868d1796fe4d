output "name" {
  description = "Name of the target."
  value       = aws_bedrockagentcore_gateway_target.this.name
}

output "id" {
  description = "Id of the target."
  value       = aws_bedrockagentcore_gateway_target.this.target_id
}
