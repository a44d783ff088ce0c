"""What is known of CloudFormation and of good practice, and our own rules in gates/rules/."""
