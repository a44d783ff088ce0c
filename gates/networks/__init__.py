"""What leaves the VPC, and the endpoint that serves it."""
