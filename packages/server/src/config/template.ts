/** The postern.yaml that `postern init` writes: valid as it stands, with every setting explained. */
export function initTemplate(): string {
  return template
}

const template = `# postern.yaml: what this Postern protects, and who may do what.
# It is read at start and again whenever it changes; a file with an error is refused as a whole.
# "postern config check" says what is wrong, with line numbers.
# \${NAME} inside a value is replaced by that environment variable; in "upstream", "upstream_credential"
# and "store.url", "file:./path" stands for the content of a file.
version: 1

# The first part of every key (acme_sk_live_…): two to twelve lower-case letters and digits.
# Choose it once. If it has to change, list the old one: its keys go on working.
brand: acme
# former_brands: [oldname]

listen:
  gateway: 127.0.0.1:8080   # your API's callers
  console: 127.0.0.1:8081   # management API and its reference: /api/docs
  ops: 127.0.0.1:8082       # metrics, health, forward-auth: for neighbours only
  # forward_auth: 10.0.0.5:8083   # forward-auth alone, for proxies on other machines
  # Peers whose X-Forwarded-* headers are believed, and who may ask forward-auth: addresses, ranges,
  # loopback, private.
  trusted_proxies: []
  # TLS 1.2 and 1.3 with your own certificates, taken anew when their files change. The first is shown to clients
  # that ask for a name of none. Without tls, put a proxy in front that ends TLS and name it in trusted_proxies.
  # tls:
  #   certificates: [{cert: ./tls/fullchain.pem, key: ./tls/privkey.pem}]
  #   listeners: [gateway, console]   # ops as well, where neighbours can speak it
  #   min_version: "1.2"
  #   hsts: 365d                      # browsers then stay with https for that long
  #   hsts_subdomains: false
  # Peers that may send credentials over plain HTTP. Everyone else gets "insecure_transport".
  plain_http_from: [loopback]
  # max_header_lines: 100
  # max_header_bytes: 16KiB
  # max_target_bytes: 8KiB
  # max_body: 10MiB
  # max_connections: 10000

# Where people reach the console: the links in errors begin with it.
public_url: http://localhost:8081

data: ./data        # databases, checkpoints, the first management key
keys: ./keys        # key files; back up keys/standing, never keys/windows
store:
  url: sqlite       # or \${DATABASE_URL} with postgres://…
# geoip: ./country.mmdb   # your own country database; without it every country is ZZ

# memory: {max_credentials: 1000000}
# failures: {attempts: 30, window: 1m}   # failed attempts per IPv4 address or IPv6 /64
# on_exposed: flag                      # a credential that came over plain HTTP: flag it, or revoke it (plans may say)
# stale_after: 30s                       # without the store for longer, requests are answered 503
# shutdown: {delay: 0s, grace: 30s}      # not ready for "delay", then running requests have "grace" to end
# retention: {requests: 90d, minutes: 48h, hours: 90d, days: 760d, events: forever}
# log: {access: off}   # one JSON line a request: stdout or a file; {access: …, one_in: 10} samples what went well
# request_log: {refusals_per_second_per_ip: 10, queue: 100000}
# connections: {allow_private: [10.1.0.0/16]}   # your own network, for checks of your own connections

# Regions that a project may be in ("postern project create --region eu"). Without this list: those that
# addresses and upstreams name. Where an API has regions, a credential works in its project's alone.
# regions: [eu, us]

# Issuers of JWTs that are not ours. Their tokens act as the credential that is named, and may do at most what it may.
# issuers:
#   corp:
#     issuer: https://login.corp.example          # "iss", byte for byte
#     jwks_uri: https://login.corp.example/keys   # the only place that its keys are fetched from
#     audience: [https://api.example.com]         # or one list for each API: {shop: […]}
#     apis: [shop]
#     credential: cred_0000000000aa               # postern client create
#     algorithms: [ES256, RS256]
#     types: [at+jwt]                             # JWT, absent: for issuers that do not follow RFC 9068
#     scopes: {claim: scope, map: {read: orders.read, admin: "*"}}       # without a map: by the same name
#     roles: {claim: [realm_access, roles], map: {clerk: reader}}
#     subject: sub
#     required_claims: {tenant: acme}
#     clock_skew: 30s
#     max_age: 1h                                 # since "iat", whatever "exp" says
#     allow_private: [10.1.0.0/16]                # your own network, for its keys alone

apis:
  shop:
    # Where callers reach it: a host, a host with a prefix (the longest wins), or ":9001" for a
    # listener of its own. Or one for each environment: {live: api.example.com, sandbox: …}.
    address: localhost
    # A value there may be one for each region as well: {live: {eu: …, us: …}, sandbox: …}.
    # Where requests are sent. The same forms.
    upstream: http://127.0.0.1:3000
    # Instead of a URL several targets, and how they are used:
    # upstream:
    #   targets: [http://10.0.0.1:3000, {url: "http://10.0.0.2:3000", weight: 2}]
    #   retries: 1            # other targets that a request is tried at, where doing it twice is doing it once
    #   passive: {failures: 5, window: 30s, eject: 30s, statuses: [503]}   # failing in a row; false: never left out
    #   health: {path: /healthz, interval: 10s, timeout: 2s, expect: [2xx], unhealthy_after: 3, healthy_after: 2}
    #   tls: {ca: ./ca.pem, cert: ./gateway.pem, key: ./gateway.key, server_name: shop.internal}
    #   max_connections: 512  # to each target
    #   keep_alive: 4s        # for how long an unused connection is kept
    # What the gateway presents there itself, once the caller's credential is cut out; never shown or logged.
    # upstream_credential: \${SHOP_API_KEY}
    # upstream_credential_in: {in: header, name: X-Api-Key}   # otherwise Authorization: Bearer
    # connection: shop-backend    # or one that is kept sealed: postern connection create; also for single routes
    # identity_headers: true    # false: the upstream is not told who calls (X-Postern-*, X-Forwarded-*)
    # generic, wecantrack, clickmeter, cardconnect, voucherify or throughline
    preset: generic
    # In front of a provider of language models, instead of a preset: openai, anthropic, mistral, gemini, or
    # ollama for whatever speaks OpenAI's form. Prices are yours to declare; budgets of money need them.
    # llm:
    #   provider: openai
    #   models: [gpt-5-mini, "gpt-4.1*"]     # without it: every model
    #   prices: [{model: gpt-5-mini, from: 2026-01-01, input: 0.25, output: 2.00, currency: USD, per: 1M}]
    #   default_output: 4096                 # tokens reserved where a request names no bound
    # Where a credential may travel, in this order. Without this list: the preset's places.
    credentials:
      - {in: bearer}
      - {in: header, name: X-Api-Key}
      # - {in: query, name: api_key}
      # - {in: basic}
      # - {in: pair, id: X-App-Id, secret: X-App-Token}
    scopes:
      orders.read: Read orders
      orders.write: Create and change orders
    roles:
      reader: [orders.read]
    # One route for each operation of an OpenAPI 3 file; routes below change it by operation id.
    # openapi: ./shop.openapi.yaml
    # validate: true          # refuse requests that do not fit the document; also for single routes
    routes:
      # {x} is one segment, /** a tail. Literal goes before {x}, {x} before /**.
      - {id: listOrders, methods: [GET], path: /v1/orders, scopes: {any: [orders.read]}}
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - id: createOrder
        methods: [POST]
        path: /v1/orders
        scopes: {all: [orders.write]}
        cost: 1               # what one request takes from limits and quotas
        # client_side: false  # true: publishable keys may call it from pages
        # body_max: 10MiB
        # headers_max: 8KiB     # names and values together
        # maintenance: {retry_after: 5m, message: Back soon}   # 503 to who may call it; true, or false against the API's
        # timeouts: {connect: 5s, first_byte: 60s, idle: 2m, total: 1h}    # total: none, if it is not there
        # on_stale: refuse    # serve: go on with known records when the store is away
        # on_revoke: close    # finish: event streams and WebSockets outlive credential and connection
        # raw_path: false     # true: also paths with "//", ";", dot segments or encoded "/"
        # limits: [{name: orders, per: credential, requests: 10, window: 1s}]
    # Paths that match no route: refuse (404) or forward.
    unmatched: refuse
    # case_insensitive_paths: false
    # retired: true           # nothing new is issued; take it away when nothing uses it any more

plans:
  free:
    apis: [shop]
    kinds: [secret]
    scopes: [orders.read]
    limits: [{name: default, per: credential, requests: 60, window: 1m, burst: 10}]
    quotas: [{name: month, per: account, requests: 10000, period: month}]
    max_keys: 2
    # models: ["gpt-*"]     # language models that may be asked for
    # budgets: [{name: tokens, per: credential, tokens: 100000, period: month}]
  pro:
    apis: [shop]
    kinds: [secret, publishable]
    scopes: ["*"]
    limits: [{name: default, per: credential, requests: 600, window: 1m, burst: 100}]
    quotas: [{name: month, per: account, requests: 1000000, period: month}]
    max_keys: 10
    max_key_age: 365d
    # on_exposed: revoke
`
