"""ChatKit on AWS: what runs in Lambda, and the library `chatkit_serverless` that others install.

Imports inside this package are relative: `pyproject.toml` installs it under the other name.
"""

VERSION = "0.1.0"
