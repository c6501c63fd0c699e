"""Trainers and quantization, under the SageMaker container contract."""
