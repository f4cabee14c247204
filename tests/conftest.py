"""What every test needs before it may import anything that imports Holoscan."""

from app.host_process import load_cuda_runtime

load_cuda_runtime()
