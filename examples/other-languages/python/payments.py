"""A service without the SDK: it passes `baggage` on, and calls through the proxy that HTTP_PROXY names."""

import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What belongs to the request, and goes with every call that is made for it.
CONTEXT_HEADERS = ("baggage", "traceparent", "tracestate")


class Payments(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        context = {name: self.headers[name] for name in CONTEXT_HEADERS if self.headers[name]}
        # urllib reads the environment variable http_proxy by itself.
        with urllib.request.urlopen(urllib.request.Request("http://orders/callback", headers=context)) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), Payments).serve_forever()
