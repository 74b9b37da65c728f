-- Asks Postern whether a request may pass. Loaded by apache.conf. A fault in here is a 500: nothing passes by it.

local host, port = string.match("127.0.0.1:8082", "^(.*):(%d+)$")

local socket = require("socket")

-- Of one connection, or of the body that stays here.
local not_asked = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
  -- Said below, and by nobody else.
  ["x-forwarded-for"] = true, ["x-forwarded-proto"] = true, ["x-forwarded-host"] = true,
  ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
}
-- Of an answer that is passed on.
local not_answered = {
  ["connection"] = true, ["content-length"] = true, ["content-type"] = true, ["date"] = true, ["keep-alive"] = true,
}
-- What could name another path, method or client than the one that was decided, with "-" for "_" and ".".
local not_sent_on = {
  ["^x%-postern"] = true, ["^x%-forwarded"] = true, ["^forwarded$"] = true, ["^x%-original%-"] = true,
  ["^x%-rewrite%-"] = true, ["^x%-http%-method"] = true, ["^x%-method%-override$"] = true,
  ["^x%-real%-ip$"] = true, ["^x%-client%-ip$"] = true, ["^cf%-connecting%-ip$"] = true,
}

local connection

local function connect()
  local fresh = socket.tcp()
  fresh:settimeout(1)
  if not fresh:connect(host, tonumber(port)) then
    return nil
  end
  fresh:settimeout(5)
  fresh:setoption("tcp-nodelay", true)
  return fresh
end

local function read_answer(from)
  local line = from:receive("*l")
  local status = line and tonumber(line:match("^HTTP/1%.1 (%d%d%d)"))
  if not status then
    return nil
  end
  local answer = { status = status, headers = {}, body = "" }
  line = from:receive("*l")
  while line and line ~= "" do
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if not name then
      return nil
    end
    answer.headers[name:lower()] = value
    line = from:receive("*l")
  end
  local length = tonumber(answer.headers["content-length"] or "0")
  if length > 0 then
    answer.body = from:receive(length)
  end
  return line and answer.body and answer
end

-- A connection that was kept may have been closed meanwhile: then once more, on a new one.
local function exchange(question)
  local kept = connection
  connection = nil
  for _, on in ipairs({ kept or false, true }) do
    on = on == true and connect() or on
    local answer = on and on:send(question) and read_answer(on)
    if answer then
      if answer.headers["connection"] == "close" then
        on:close()
      else
        connection = on
      end
      return answer
    end
    if on then
      on:close()
    end
  end
end

local function question_of(r, sent)
  local lines = {
    "GET /forward-auth HTTP/1.1",
    "Host: " .. host .. ":" .. port,
    "X-Forwarded-Method: " .. r.method,
    "X-Forwarded-Proto: " .. (r.is_https and "https" or "http"),
    "X-Forwarded-Host: " .. (sent["Host"] or sent["host"] or ""),
    "X-Forwarded-Uri: " .. r.unparsed_uri,
    -- Behind another proxy: mod_remoteip, so that this is the client.
    "X-Forwarded-For: " .. r.useragent_ip,
  }
  for name, value in pairs(sent) do
    if not not_asked[name:lower()] then
      table.insert(lines, name .. ": " .. value)
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function is_sent_on(name)
  local normal = name:lower():gsub("[_.]", "-")
  for pattern in pairs(not_sent_on) do
    if normal:find(pattern) then
      return false
    end
  end
  return true
end

function check(r)
  local sent = r:headers_in_table()
  local answer = exchange(question_of(r, sent))
  if not answer then
    return 503
  end

  -- 204 answers a preflight.
  if answer.status ~= 200 then
    for name, value in pairs(answer.headers) do
      if not not_answered[name] then
        r.err_headers_out[name] = value
      end
    end
    r.status = answer.status
    if answer.body ~= "" then
      r.content_type = answer.headers["content-type"]
      r:write(answer.body)
    end
    return apache2.DONE
  end

  for name in pairs(sent) do
    if not is_sent_on(name) then
      r.headers_in[name] = nil
    end
  end
  -- No client names in Connection what is said about it.
  if sent["Connection"] and sent["Connection"]:lower():gsub("[_.]", "-"):find("x%-") then
    r.headers_in["Connection"] = "close"
  end
  for name, value in pairs(answer.headers) do
    if name:find("^x%-postern%-") and name ~= "x-postern-uri" then
      r.headers_in[name] = value
    end
  end
  r.headers_in["X-Request-Id"] = answer.headers["x-request-id"]

  local uri = answer.headers["x-postern-uri"]
  if uri ~= r.unparsed_uri then
    r.filename = r.filename:sub(1, #r.filename - #r.unparsed_uri) .. uri
  end

  -- What the client sees beside the API's answer.
  for _, name in ipairs({ "x-request-id", "ratelimit", "ratelimit-policy", "vary" }) do
    r.err_headers_out[name] = answer.headers[name]
  end
  for _, name in ipairs({ "access-control-allow-origin", "access-control-expose-headers" }) do
    r.err_headers_out[name] = answer.headers[name]
  end
  return apache2.OK
end
