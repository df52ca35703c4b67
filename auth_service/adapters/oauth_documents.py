"""What the stores of OAuth keep as documents: JSON, the same in every store."""

from typing import Final

import msgspec

from auth_service.application.ports.oauth import Pending
from auth_service.domain.oauth.authorization import Login
from auth_service.domain.oauth.client import Client
from auth_service.domain.oauth.device import DeviceGrant
from auth_service.domain.oauth.grants import AuthorizationCode, Granted

encode: Final = msgspec.json.Encoder().encode
client_of: Final = msgspec.json.Decoder(Client).decode
granted_of: Final = msgspec.json.Decoder(Granted).decode
code_of: Final = msgspec.json.Decoder(AuthorizationCode).decode
login_of: Final = msgspec.json.Decoder(Login).decode
device_of: Final = msgspec.json.Decoder(DeviceGrant).decode
pending_of: Final = msgspec.json.Decoder(Pending).decode
pushed_of: Final = msgspec.json.Decoder(dict[str, str]).decode
