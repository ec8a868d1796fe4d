# What the function may do: write its log, be in its subnets, and what it is called for.

data "aws_caller_identity" "here" {}

resource "aws_iam_role" "this" {
  name_prefix = "${substr(var.name, 0, 37)}-"
  description = "The Lambda function ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "run" {
  #checkov:skip=CKV_AWS_290:AWS knows no resources for what Lambda does with network interfaces.
  #checkov:skip=CKV_AWS_355:AWS knows no resources for what Lambda does with network interfaces.
  name = "run"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      {
        Sid    = "BeInSubnets"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        # These take no resource, or one that is not there yet (AWSLambdaVPCAccessExecutionRole has the same).
        Resource = "*"
      },
      {
        # Lambda makes the network interfaces; code that runs in the function must not (Lambda Developer Guide, "Required IAM permissions").
        Sid    = "ButNotByItself"
        Effect = "Deny"
        Action = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = "*"
        Condition = {
          ArnEquals = {
            "lambda:SourceFunctionArn" = [
              "arn:${var.partition}:lambda:${var.region}:${data.aws_caller_identity.here.account_id}:function:${var.name}",
            ]
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "call" {
  count = length(var.statements) > 0 ? 1 : 0

  name   = "call"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = var.statements })
}
