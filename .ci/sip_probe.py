"""Calls HOST PORT NUMBER by SIP over UDP and listens for two seconds: does sound arrive? The standard library alone.

`make docker-test` runs it on the machine itself, so that the published ports are tried and not only Docker's own network.
"""

import re
import secrets
import socket
import sys
import time

ANSWER_LIMIT = 10.0
LISTEN = 2.0
LOUD = 20  # of 160 samples in a packet, those that must not be silence
SILENCE = 0xD5


def main(host: str, port: int, number: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        sip.connect((host, port))
        local, local_port = sip.getsockname()
        rtp.bind((local, 0))
        call = Call(sip, f"sip:{number}@{host}:{port}", f"{local}:{local_port}")
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {local}\r\ns=-\r\nc=IN IP4 {local}\r\nt=0 0\r\n"
            f"m=audio {rtp.getsockname()[1]} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        )
        answer = call.invite(body)
        try:
            media = re.search(r"^c=IN IP4 (\S+)", answer, re.M), re.search(r"^m=audio (\d+)", answer, re.M)
            address = media[0][1], int(media[1][1])
            packets, loud = listen(rtp, address)
        finally:
            call.bye()
    print(f"{number} answered; its sound comes from {address[0]}:{address[1]}: {packets} packets, {loud} with sound")
    return 0 if loud > 10 else 1


class Call:
    def __init__(self, sip: socket.socket, uri: str, contact: str) -> None:
        self._sip, self._uri, self._contact = sip, uri, contact
        self._remote, self._to = uri, f"<{uri}>"
        self._from = f"<sip:probe@{contact}>;tag={secrets.token_hex(4)}"
        self._id = secrets.token_hex(8)

    def invite(self, body: str) -> str:
        self._send("INVITE", 1, body)
        deadline = time.monotonic() + ANSWER_LIMIT
        while True:
            answer = self._receive(deadline)
            status = int(answer.split()[1]) if answer.startswith("SIP/2.0") else 0
            if status < 200:
                continue
            self._to = re.search(r"^To:\s*(.*)\r$", answer, re.M | re.I)[1]
            contact = re.search(r"^Contact:\s*<([^>]*)>", answer, re.M | re.I)
            self._remote = contact[1] if contact else self._uri
            self._send("ACK", 1)
            if status >= 300:
                sys.exit(f"sip_probe: the call was refused: {answer.splitlines()[0]}")
            return answer

    def bye(self) -> None:
        self._send("BYE", 2)
        deadline = time.monotonic() + 2
        while not re.search(r"^CSeq:\s*2 BYE", self._receive(deadline), re.M | re.I):
            pass

    def _send(self, method: str, number: int, body: str = "") -> None:
        lines = (
            f"{method} {self._remote} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._contact};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            f"From: {self._from}",
            f"To: {self._to}",
            f"Call-ID: {self._id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:probe@{self._contact}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        )
        self._sip.send("\r\n".join((*lines, "", body)).encode())

    def _receive(self, deadline: float) -> str:
        self._sip.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            return self._sip.recv(65535).decode(errors="replace")
        except (TimeoutError, ConnectionError) as error:
            sys.exit(f"sip_probe: no answer from Asterisk ({error or 'too late'})")


def listen(rtp: socket.socket, address: tuple[str, int]) -> tuple[int, int]:
    """Send silence, as any phone would: behind a translation the first packet shows Asterisk where the caller is."""
    packets = loud = number = 0
    rtp.settimeout(0.01)
    began = time.monotonic()
    while (now := time.monotonic()) < began + LISTEN:
        if now >= began + number * 0.02:
            header = b"\x80\x08" + (number & 0xFFFF).to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"\0\0\0\1"
            rtp.sendto(header + bytes([SILENCE]) * 160, address)
            number += 1
        try:
            packet = rtp.recv(2048)
        except (TimeoutError, ConnectionError):
            continue
        if packet[1] & 0x7F == 8:
            packets += 1
            loud += sum(byte not in (SILENCE, 0x55) for byte in packet[12:]) > LOUD
    return packets, loud


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
