"""How this application names itself in what it writes, and by what it knows its own output again."""

MANUFACTURER = "Single-study denoiser"
MODEL_NAME = "single-study-denoiser"
CODING_SCHEME = "99SSDENOISE"
NETWORK_CODE = ("NOISE-REDUCED", "Noise reduced by a network fitted on this study alone")  # value and meaning
FILTER_CODE = ("NOISE-FILTERED", "Noise reduced by a filter measured on this study alone")
REPORT_CODE_VALUE = "NOISE-REPORT"
REPORT_CODE_MEANING = "Noise reduction report"
