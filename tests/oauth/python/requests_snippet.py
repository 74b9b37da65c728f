"""What Card Connect's document shows: a token for the client, then a call with it (CRC-2)."""

import os

import requests

host = os.environ["HOST"]

response = requests.post(
    f"{host}/v1/auth/token",
    data={
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
        "grant_type": "client_credentials",
    },
)
access_token = response.json()["access_token"]

answer = requests.get(f"{host}/v1/transactions", headers={"Authorization": f"Bearer {access_token}"})
print(response.status_code, response.json()["token_type"], answer.status_code)
