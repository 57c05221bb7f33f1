"""ChatKit on AWS: the code that runs in Lambda, and the library `chatkit_serverless`.

Imports inside this package are relative, because the library has this code under its own name.
"""

VERSION = "0.1.0"
