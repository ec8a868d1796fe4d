output "arn" {
  description = "ARN of the role, once its policy is there."
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.this]
}

output "policy" {
  description = "Its policy, as JSON."
  value       = local.policy
}
