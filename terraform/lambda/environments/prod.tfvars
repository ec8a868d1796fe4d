# Each environment has a state of its own. Once backend.tf.s3.example is copied to backend.tf:
#   terraform init -reconfigure -backend-config=environments/prod.s3.tfbackend
#   terraform apply -var-file=environments/prod.tfvars

name                 = "tools"
stage                = "prod"
zone_count           = 2
memory_mb            = 1024
reserved_concurrency = 50
log_retention_days   = 90
throttling           = { rate = 100, burst = 200 }
tags                 = { environment = "prod" }
