output "package" {
  description = "Where the package is: bucket, key, version, and the hash of its content."
  value = {
    bucket  = aws_s3_object.package.bucket
    key     = aws_s3_object.package.key
    version = aws_s3_object.package.version_id
    hash    = filebase64sha256(var.package_path)
  }
}
