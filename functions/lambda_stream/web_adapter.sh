#!/bin/sh
# The alternative to `bootstrap` (`-c streaming=web-adapter`). AWS Lambda Web Adapter runs this file,
# which is the function's handler, and sends requests over HTTP to the same app under uvicorn.
root="${0%/functions/lambda_stream/web_adapter.sh}"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec python3 -u -m uvicorn functions.chat.handler:app \
    --host 127.0.0.1 --port "${AWS_LWA_PORT:-8080}" --log-level warning --no-access-log
