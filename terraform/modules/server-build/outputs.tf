output "image_uri" {
  description = "The image, known once it is built."
  value       = terraform_data.image.output
}
