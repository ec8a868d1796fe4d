output "url" {
  description = "What clients use: the public_url of config.toml."
  value       = local.url
}

output "load_balancer_dns_name" {
  description = "Where the host name of that URL must lead, if it is not in `hosted_zone_id`: the name for a CNAME or an alias record."
  value       = aws_lb.this.dns_name
}

output "load_balancer_zone_id" {
  description = "The zone of the load balancer, for an alias record."
  value       = aws_lb.this.zone_id
}

output "repository_url" {
  description = "Where the image is to be pushed, with `create_repository`."
  value       = one(aws_ecr_repository.gateway[*].repository_url)
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The ECS service in it; absent while there is no image."
  value       = one(aws_ecs_service.gateway[*].name)
}

output "log_group" {
  description = "The gateway's log."
  value       = aws_cloudwatch_log_group.gateway.name
}

output "task_role_arn" {
  description = "Who the gateway is to AWS: for the policies of what it calls, and for the trust of `assumable_role_arns`."
  value       = aws_iam_role.task.arn
}

output "execution_role_arn" {
  description = "With which tasks are started: for the policies of secrets in other accounts."
  value       = aws_iam_role.execution.arn
}

output "gateway_security_group_id" {
  description = "The security group of the tasks: for those of servers that let it in."
  value       = aws_security_group.gateway.id
}

output "session_key_secret_arn" {
  description = "The secret that holds the key for sessions. Nobody needs to read it."
  value       = local.session_key.secret_arn
}

output "redis_url" {
  description = "The shared cache, with `shared_state`; the password is a token of IAM."
  value       = local.redis_url
}

output "vpc_id" {
  description = "The network that everything is in."
  value       = local.network.vpc_id
}

output "commands" {
  description = "Commands, ready to paste: what is listed, the log, a client's entry, new replicas of the same."
  value = {
    list_tools     = "causeway tools ${local.url}"
    vscode         = "causeway client vscode --write --url ${local.url}"
    logs           = "aws logs tail ${aws_cloudwatch_log_group.gateway.name} --follow --region ${var.region}"
    events         = "aws ecs describe-services --cluster ${aws_ecs_cluster.this.name} --services gateway --query 'services[0].events[:10].message' --output text --region ${var.region}"
    restart        = "aws ecs update-service --cluster ${aws_ecs_cluster.this.name} --service gateway --force-new-deployment --region ${var.region}"
    registry_login = var.create_repository ? "aws ecr get-login-password --region ${var.region} | docker login --username AWS --password-stdin ${split("/", aws_ecr_repository.gateway[0].repository_url)[0]}" : null
  }
}
