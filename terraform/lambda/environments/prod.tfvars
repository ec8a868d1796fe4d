# terraform apply -var-file=environments/prod.tfvars, after `terraform init -backend-config=environments/prod.s3.tfbackend`

name                 = "tools"
stage                = "prod"
zone_count           = 2
memory_mb            = 1024
reserved_concurrency = 50
log_retention_days   = 90
throttling           = { rate = 100, burst = 200 }
tags                 = { environment = "prod" }
