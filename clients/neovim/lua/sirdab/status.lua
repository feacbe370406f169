--- What the server last said of itself, for the statusline, the health check and the user.
local config = require("sirdab.config")

local M = {}

---@class sirdab.Status
---@field state "stopped"|"starting"|"ready"|"busy"|"degraded"|"offline"|"disabled"
---@field message string One sentence for a person.
---@field endpoint? string Address of the model server.
---@field model? string Name of the model.
---@field detail? any

---@type sirdab.Status
local current = { state = "stopped", message = "The server is not running." }

--- Whether the user was told that there are no suggestions; each episode is told once.
local told_offline = false

--- Shows a sentence to the user, unless that is switched off.
---@param message string
---@param level integer
function M.notify(message, level)
  if config.current.notify then
    vim.notify("sirdab: " .. message, level)
  end
end

--- Takes a new status.
---@param status sirdab.Status
function M.set(status)
  current = status
  if status.state == "offline" then
    if not told_offline then
      told_offline = true
      M.notify(status.message, vim.log.levels.WARN)
    end
  elseif told_offline and (status.state == "ready" or status.state == "busy") then
    told_offline = false
    M.notify("suggestions are back. " .. status.message, vim.log.levels.INFO)
  end
  vim.api.nvim_exec_autocmds("User", {
    pattern = "SirdabStatus",
    modeline = false,
    data = vim.deepcopy(current),
  })
  vim.cmd("redrawstatus")
end

---@param value any
---@return string?
local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- Handler of the notification `sirdab/status`.
---@param _ any
---@param params any
function M.on_status(_, params)
  if type(params) ~= "table" or not text(params.state) then
    return
  end
  M.set({
    state = params.state,
    message = text(params.message) or ("The state is %s."):format(params.state),
    endpoint = text(params.endpoint),
    model = text(params.model),
    detail = params.detail ~= vim.NIL and params.detail or nil,
  })
end

--- Returns the last status.
---@return sirdab.Status
function M.get()
  return vim.deepcopy(current)
end

--- Returns a short text for a statusline, for example "sirdab: ready (qwen2.5-coder-0.5b)".
---@return string
function M.line()
  local model = current.state ~= "stopped" and current.model
  return ("sirdab: %s%s"):format(current.state, model and (" (%s)"):format(model) or "")
end

return M
