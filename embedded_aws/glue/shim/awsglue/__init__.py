"""The part of AWS Glue's library that a job script without Spark needs; on the Python path of jobs only."""
