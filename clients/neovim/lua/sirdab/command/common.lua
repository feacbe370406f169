--- What the subcommands of `:Sirdab` have in common.
local M = {}

---@param message string
---@param level? integer
function M.say(message, level)
  vim.notify("sirdab: " .. message, level or vim.log.levels.INFO)
end

--- Says something that went wrong.
---@param message string
function M.warn(message)
  M.say(message, vim.log.levels.WARN)
end

--- Returns the client of the current buffer, else any, else says that there is none.
---@return vim.lsp.Client?
function M.client_or_say()
  local lsp = require("sirdab.lsp")
  local client = lsp.clients(0)[1] or lsp.clients()[1]
  if not client then
    M.warn("the server does not run here; open a source file, or see :checkhealth sirdab.")
  end
  return client
end

--- Whether a server carries out a command; older ones and those without a feature do not.
---@param client vim.lsp.Client
---@param command string
---@return boolean
function M.offers(client, command)
  local provider = client.server_capabilities.executeCommandProvider
  return provider ~= nil and vim.tbl_contains(provider.commands or {}, command)
end

--- Has the server carry out a command; says that it cannot where it does not offer it.
---@param client vim.lsp.Client
---@param command string
---@param arguments any[]
---@param what string What the command is for, to follow "This server cannot".
---@param done? fun(result: any) Called with what it answers, unless that is an error.
---@return integer? request Id of the request under way.
function M.execute(client, command, arguments, what, done)
  if not M.offers(client, command) then
    M.warn(("this server cannot %s; `pip install -U sirdab` brings a newer one."):format(what))
    return nil
  end
  local rpc = require("sirdab.ghost.rpc")
  local params = { command = command, arguments = arguments }
  local function handler(err, result)
    if err then
      M.warn(("the server could not %s: %s"):format(what, tostring(err.message)))
    elseif done then
      done(result ~= vim.NIL and result or nil)
    end
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local ok, id = rpc.call(client, "request", "workspace/executeCommand", params, handler, bufnr)
  return ok and id or nil
end

--- Shows text in a window of its own that `q` closes, and returns its buffer.
---@param title string
---@param lines string[]
---@param filetype string
---@return integer bufnr
function M.show_lines(title, lines, filetype)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].filetype = filetype
  M.set_lines(bufnr, lines)
  vim.cmd.split()
  vim.api.nvim_win_set_buf(0, bufnr)
  vim.api.nvim_win_set_height(0, math.min(math.max(#lines, 3), math.floor(vim.o.lines / 2)))
  vim.wo.statusline = title
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, nowait = true })
  return bufnr
end

--- Replaces the text of such a window, if it is still there.
---@param bufnr integer
---@param lines string[]
function M.set_lines(bufnr, lines)
  if not vim.api.nvim_buf_is_valid(bufnr) then
    return
  end
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    local height = math.min(math.max(#lines, 3), math.floor(vim.o.lines / 2))
    vim.api.nvim_win_set_height(window, height)
  end
end

--- Returns the range of lines of a command as the protocol writes it.
---@param client vim.lsp.Client
---@param bufnr integer
---@param first integer 1-based line.
---@param last integer 1-based line.
---@return lsp.Range
function M.lines_range(client, bufnr, first, last)
  local rpc = require("sirdab.ghost.rpc")
  local text = vim.api.nvim_buf_get_lines(bufnr, last - 1, last, false)[1] or ""
  return {
    start = rpc.position(client, bufnr, first - 1, 0),
    ["end"] = rpc.position(client, bufnr, last - 1, #text),
  }
end

return M
