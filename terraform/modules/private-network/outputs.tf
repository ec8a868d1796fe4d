output "private_subnet_ids" {
  description = "A subnet in each zone that nobody reaches."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]

  # What starts there needs its way out.
  depends_on = [aws_route.nat, aws_vpc_endpoint.interface, aws_route_table_association.private]
}

output "security_group_id" {
  description = "The security group of what runs there."
  value       = aws_security_group.function.id

  depends_on = [aws_vpc_security_group_egress_rule.https]
}
