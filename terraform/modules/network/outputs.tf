output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "A subnet in each zone that the internet reaches."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]

  # A load balancer that faces the internet cannot be made before the way there.
  depends_on = [aws_route.internet]
}

output "private_subnet_ids" {
  description = "A subnet in each zone that it does not reach."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]

  # Tasks that start before there is a way out cannot fetch their image.
  depends_on = [aws_route.nat, aws_vpc_endpoint.interface, aws_vpc_endpoint.s3, aws_route_table_association.private]
}
