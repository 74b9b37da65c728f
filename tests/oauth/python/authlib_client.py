"""Authlib as its documentation shows it, with introspection and revocation."""

import json
import os
import sys

from authlib.integrations.requests_client import OAuth2Session

issuer = os.environ["ISSUER"]
api = os.environ["API"]
client_id = os.environ["CLIENT_ID"]
client_secret = os.environ["CLIENT_SECRET"]
redirect_uri = os.environ["REDIRECT_URI"]
told = {}

for method in ["client_secret_basic", "client_secret_post"]:
    machine = OAuth2Session(client_id, client_secret, scope="orders.read", token_endpoint_auth_method=method)
    token = machine.fetch_token(f"{issuer}/oauth/token", grant_type="client_credentials")
    told[method] = [token["token_type"], token["scope"], machine.get(f"{api}/v1/orders/1").status_code]

person = OAuth2Session(
    client_id, client_secret, scope="orders.read orders.write", redirect_uri=redirect_uri, code_challenge_method="S256"
)
verifier = os.environ["VERIFIER"]
url, state = person.create_authorization_url(f"{issuer}/oauth/authorize", code_verifier=verifier)
print(json.dumps({"authorize": url}), flush=True)
came_back = sys.stdin.readline().strip()
token = person.fetch_token(f"{issuer}/oauth/token", authorization_response=came_back, code_verifier=verifier)
told["person"] = [sorted(token["scope"].split()), person.get(f"{api}/v1/orders/1").status_code]
first = token["refresh_token"]
token = person.refresh_token(f"{issuer}/oauth/token", refresh_token=first)
told["refreshed"] = [token["refresh_token"] != first, person.get(f"{api}/v1/orders/1").status_code]
told["introspected"] = person.introspect_token(f"{issuer}/oauth/introspect", token=token["access_token"]).json()["active"]
told["revoked"] = [person.revoke_token(f"{issuer}/oauth/revoke", token=token["access_token"]).status_code]
told["introspected after"] = person.introspect_token(f"{issuer}/oauth/introspect", token=token["access_token"]).json()

print(json.dumps(told))
