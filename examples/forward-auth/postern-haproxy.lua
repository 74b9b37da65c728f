-- Asks Postern whether a request may pass: http-request lua.postern HOST:PORT. Loaded by haproxy.cfg.

-- Of one connection, or of the body that stays here.
local not_asked = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
  -- Said below, and by nobody else.
  ["x-forwarded-for"] = true, ["x-forwarded-proto"] = true, ["x-forwarded-host"] = true,
  ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
}
-- Of an answer that is passed on.
local not_answered = { ["connection"] = true, ["content-length"] = true, ["date"] = true, ["keep-alive"] = true }

local function first(headers, name)
  for _, value in pairs(headers[name] or {}) do
    return value
  end
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply({ status = status })
  for name, values in pairs(headers) do
    if not not_answered[name] then
      for _, value in pairs(values) do
        reply:add_header(name, value)
      end
    end
  end
  reply:set_body(body)
  txn:done(reply)
end

local function ask(txn, sent, postern)
  local headers = {}
  for name, values in pairs(sent) do
    if not not_asked[name] then
      headers[name] = {}
      for _, value in pairs(values) do
        table.insert(headers[name], value)
      end
    end
  end
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
  headers["x-forwarded-host"] = { first(sent, "host") or "" }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  -- Behind another proxy: "http-request set-src", so that this is the client.
  headers["x-forwarded-for"] = { txn.f:src() }
  -- HAProxy asks up to four times where no answer comes (httpclient.retries, from 2.8 on).
  return core.httpclient():get({
    url = "http://" .. postern .. "/forward-auth",
    headers = headers,
    timeout = 2000,
  })
end

core.register_action("postern", { "http-req" }, function(txn, postern)
  local sent = txn.http:req_get_headers()
  local answer = ask(txn, sent, postern)
  if not answer or not answer.status or answer.status < 200 then
    return refuse(txn, 503, { ["content-type"] = { "text/plain" } }, "Postern does not answer.\n")
  end
  -- 204 answers a preflight.
  if answer.status ~= 200 then
    return refuse(txn, answer.status, answer.headers, answer.body)
  end

  -- Nobody but Postern says who it is, however it is spelled.
  for name in pairs(sent) do
    if name:lower():find("^x[-_.]postern") then
      txn.http:req_del_header(name)
    end
  end
  for name, values in pairs(answer.headers) do
    if name:find("^x%-postern%-") and name ~= "x-postern-uri" then
      for _, value in pairs(values) do
        txn.http:req_set_header(name, value)
      end
    end
  end
  local request = first(answer.headers, "x-request-id")
  txn.http:req_set_header("x-request-id", request)

  local uri = first(answer.headers, "x-postern-uri")
  if uri ~= txn.f:pathq() then
    txn.http:req_set_query(uri:match("%?(.*)$") or "")
  end

  local function tell(variable, name)
    local value = first(answer.headers, name)
    if value then
      txn:set_var("txn." .. variable, value)
    end
  end
  tell("postern_request", "x-request-id")
  tell("postern_limit", "ratelimit")
  tell("postern_limit_policy", "ratelimit-policy")
  tell("postern_cors", "access-control-allow-origin")
  tell("postern_cors_expose", "access-control-expose-headers")
  txn:set_var("txn.postern_allowed", "yes")
end, 1)
