--- The command `:Sirdab`.
local M = {}

---@param message string
---@param level? integer
local function say(message, level)
  vim.notify("sirdab: " .. message, level or vim.log.levels.INFO)
end

--- Returns the client of the current buffer, else any, else says that there is none.
---@return vim.lsp.Client?
local function client_or_say()
  local lsp = require("sirdab.lsp")
  local client = lsp.clients(0)[1] or lsp.clients()[1]
  if not client then
    say(
      "the server does not run here. Open a source file, or see :checkhealth sirdab.",
      vim.log.levels.WARN
    )
  end
  return client
end

--- Shows text in a window of its own that `q` closes.
---@param title string
---@param lines string[]
local function show_lines(title, lines)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].filetype = "sirdab-explain"
  vim.cmd.split()
  vim.api.nvim_win_set_buf(0, bufnr)
  vim.api.nvim_win_set_height(0, math.min(math.max(#lines, 3), math.floor(vim.o.lines / 2)))
  vim.wo.statusline = title
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, nowait = true })
end

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

local function toggle()
  local client = client_or_say()
  if not client then
    return
  end
  require("sirdab.ghost").dismiss()
  local rpc = require("sirdab.ghost.rpc")
  rpc.call(client, "request", "workspace/executeCommand", {
    command = "sirdab.toggle",
  }, function(err)
    if err then
      say("the server did not switch suggestions: " .. tostring(err.message), vim.log.levels.WARN)
    end
  end, vim.api.nvim_get_current_buf())
end

local function show_status()
  local status = require("sirdab.status").get()
  local parts = { ("%s. %s"):format(status.state, status.message) }
  parts[#parts + 1] = status.model and ("Model: %s."):format(status.model)
  parts[#parts + 1] = status.endpoint and ("Endpoint: %s."):format(status.endpoint)
  say(table.concat(parts, " "))
end

local function explain()
  local client = client_or_say()
  if not client then
    return
  end
  local rpc = require("sirdab.ghost.rpc")
  local bufnr = vim.api.nvim_get_current_buf()
  local params = rpc.params(client, bufnr, rpc.invoked)
  params.context = nil
  rpc.call(client, "request", "sirdab/explain", params, function(err, result)
    if err then
      say("the server cannot explain: " .. tostring(err.message), vim.log.levels.WARN)
    elseif result == nil or result == vim.NIL then
      say("the server has nothing to say of this position.")
    else
      show_lines(" Sirdab: why there was or was not a suggestion (q closes)", explain_lines(result))
    end
  end, bufnr)
end

local function log()
  local path = vim.lsp.log and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
  if vim.fn.filereadable(path) == 0 then
    say(("there is no log yet at %s."):format(path))
    return
  end
  vim.cmd.tabedit({ args = { path }, magic = { file = false } })
  vim.cmd.normal({ args = { "G" }, bang = true })
end

local function restart()
  require("sirdab.lsp").restart()
end

---@type table<string, fun()>
local subcommands = {
  explain = explain,
  log = log,
  restart = restart,
  status = show_status,
  toggle = toggle,
}

--- Runs `:Sirdab {subcommand}`; without one, `status`.
---@param arguments string[]
function M.run(arguments)
  local name = arguments[1] or "status"
  local subcommand = subcommands[name]
  if #arguments > 1 or not subcommand then
    say(
      ("`:Sirdab %s` is not known; there are: %s."):format(
        table.concat(arguments, " "),
        table.concat(M.complete(""), ", ")
      ),
      vim.log.levels.WARN
    )
    return
  end
  subcommand()
end

--- Completes the name of a subcommand.
---@param lead string
---@return string[]
function M.complete(lead)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, vim.tbl_keys(subcommands))
  table.sort(names)
  return names
end

return M
