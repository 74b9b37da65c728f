"""requests-oauthlib as its documentation shows it: for a machine, and for a person with refresh and revocation."""

import json
import os
import sys

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

issuer = os.environ["ISSUER"]
api = os.environ["API"]
client_id = os.environ["CLIENT_ID"]
client_secret = os.environ["CLIENT_SECRET"]
redirect_uri = os.environ["REDIRECT_URI"]
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

machine = OAuth2Session(client=BackendApplicationClient(client_id=client_id, scope=["orders.read"]))
token = machine.fetch_token(token_url=f"{issuer}/oauth/token", client_id=client_id, client_secret=client_secret)
told = {"machine": [token["token_type"], token["scope"], machine.get(f"{api}/v1/orders/1").status_code]}

person = OAuth2Session(client_id, redirect_uri=redirect_uri, scope=["orders.read", "orders.write"])
verifier = os.environ["VERIFIER"]
url, state = person.authorization_url(
    f"{issuer}/oauth/authorize", code_challenge=os.environ["CHALLENGE"], code_challenge_method="S256"
)
print(json.dumps({"authorize": url}), flush=True)
came_back = sys.stdin.readline().strip()
token = person.fetch_token(
    f"{issuer}/oauth/token",
    authorization_response=came_back,
    auth=HTTPBasicAuth(client_id, client_secret),
    code_verifier=verifier,
)
told["person"] = [sorted(token["scope"]), person.get(f"{api}/v1/orders/1").status_code]
first = token["refresh_token"]
token = person.refresh_token(f"{issuer}/oauth/token", auth=HTTPBasicAuth(client_id, client_secret))
told["refreshed"] = [token["refresh_token"] != first, person.get(f"{api}/v1/orders/1").status_code]
revoked = person.post(
    f"{issuer}/oauth/revoke", data={"token": token["access_token"]}, auth=HTTPBasicAuth(client_id, client_secret), withhold_token=True
)
told["revoked"] = [revoked.status_code, person.get(f"{api}/v1/orders/1").status_code]
print(json.dumps(told))
