#!/usr/bin/env python3
"""A server on localhost that serves a folder in the ways that servers have.
range_server.py FOLDER: prints its port, then answers GET /MODE/FILE:
  ranges      206 with what was asked for
  whole       200 with everything, whatever was asked for
  cut         like ranges, but each answer ends after 40,000 bytes
  cutwhole    like whole, and each answer ends after 40,000 bytes
  no416       416 to every range, 200 to the rest
  missing     404;  broken: 500
  moved       302 to ranges/FILE;  round: 302 to itself, for ever
  other       206 with everything, as if from byte 0, whatever was asked for
  longer      like ranges, and 50,000 bytes more
  slow        like ranges, in pieces with pauses, so that it can be interrupted
/requests lists what was asked: a line "MODE RANGE" each.
SPDX-License-Identifier: Apache-2.0"""
import http.server
import pathlib
import sys
import time

folder = pathlib.Path(sys.argv[1])
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, code, body=b"", promised=None, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)
        if promised is not None and promised != len(body):
            self.close_connection = True

    def do_GET(self):
        if self.path == "/requests":
            return self.answer(200, "\n".join(asked).encode())
        mode, name = self.path.strip("/").split("/")
        wanted = self.headers.get("Range")
        asked.append(f"{mode} {wanted}")
        if mode in ("missing", "broken"):
            return self.answer(404 if mode == "missing" else 500, b"<html>no such file</html>")
        if mode in ("moved", "round"):
            return self.answer(302, Location=f"/{'ranges' if mode == 'moved' else mode}/{name}")
        data = (folder / name).read_bytes()
        start = int(wanted.split("=")[1].split("-")[0]) if wanted else 0
        if wanted and (mode == "no416" or start >= len(data)):
            return self.answer(416)
        ranged = bool(wanted) and mode not in ("whole", "cutwhole")
        start = 0 if mode == "other" else start
        body = data[start:] if ranged else data
        body += b"x" * 50000 if mode == "longer" else b""
        headers = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if ranged else {}
        if mode in ("cut", "cutwhole"):
            return self.answer(206 if ranged else 200, body[:40000], promised=len(body), **headers)
        if mode == "slow":
            self.answer(206 if ranged else 200, body[:30000], promised=len(body), **headers)
            for at in range(30000, len(body), 1000):
                self.wfile.write(body[at : at + 1000])
                time.sleep(0.05)
            return None
        return self.answer(206 if ranged else 200, body, **headers)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
