--- `:Sirdab explain`: why there is or is not a suggestion at the cursor, or what code does.
local common = require("sirdab.command.common")

--- Adds a value of the answer to `sirdab/explain` to the lines, a table's values one by one.
---@param lines string[]
---@param name string
---@param value any
local function add_value(lines, name, value)
  if type(value) == "table" and next(value) ~= nil then
    local keys = vim.tbl_keys(value)
    table.sort(keys, function(a, b)
      return tostring(a) < tostring(b)
    end)
    for _, key in ipairs(keys) do
      add_value(lines, ("%s.%s"):format(name, key), value[key])
    end
    return
  end
  local shown = type(value) == "string" and value or vim.inspect(value)
  if value == vim.NIL or value == "" or type(value) == "table" then
    shown = "none"
  end
  local parts = vim.split(shown, "\n", { plain = true })
  if #parts == 1 then
    lines[#lines + 1] = ("%s: %s"):format(name, parts[1])
    return
  end
  lines[#lines + 1] = name .. ":"
  for _, part in ipairs(parts) do
    lines[#lines + 1] = "    " .. part
  end
end

--- Turns the answer to `sirdab/explain` into lines, the reason first.
---@param result any
---@return string[]
local function explain_lines(result)
  local lines = {} ---@type string[]
  if type(result) ~= "table" then
    add_value(lines, "reason", result)
    return lines
  end
  local names = vim.tbl_keys(result)
  local rank = { reason = 1, detail = 2, suggestion = 3 }
  table.sort(names, function(a, b)
    local first, second = rank[a] or 9, rank[b] or 9
    return first == second and tostring(a) < tostring(b) or first < second
  end)
  for _, name in ipairs(names) do
    add_value(lines, tostring(name), result[name])
  end
  return lines
end

---@param arguments string[]
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
return function(arguments, range)
  if arguments[1] == "code" then
    return require("sirdab.command.refactor").explain(range)
  elseif arguments[1] then
    return common.warn(":Sirdab explain takes code or nothing.")
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local rpc = require("sirdab.ghost.rpc")
  local bufnr = vim.api.nvim_get_current_buf()
  local params = rpc.params(client, bufnr, rpc.invoked)
  params.context = nil
  rpc.call(client, "request", "sirdab/explain", params, function(err, result)
    if err then
      common.warn("the server cannot explain: " .. tostring(err.message))
    elseif result == nil or result == vim.NIL then
      common.say("the server has nothing to say of this position.")
    else
      local title = " Sirdab: why there was or was not a suggestion (q closes)"
      common.show_lines(title, explain_lines(result), "sirdab-explain")
    end
  end, bufnr)
end
