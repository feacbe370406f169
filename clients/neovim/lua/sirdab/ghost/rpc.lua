--- What both ways of showing ghost text say to the server, and to other plugins.
local position = require("sirdab.ghost.position")

local M = {}

M.method = "textDocument/inlineCompletion"

--- Kinds of trigger (specification 3.18, InlineCompletionTriggerKind).
M.invoked = 1
M.automatic = 2

--- Calls a method of a client. Before 0.11 they were plain functions of the object.
---@param client vim.lsp.Client
---@param method string
---@param ... any
---@return any ...
function M.call(client, method, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- Returns a place in a buffer as the protocol writes it.
---@param client vim.lsp.Client
---@param bufnr integer
---@param row integer 0-based line.
---@param col integer 0-based byte column.
---@return lsp.Position
function M.position(client, bufnr, row, col)
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ""
  return { line = row, character = position.to_units(line, col, client.offset_encoding) }
end

--- Returns what is asked of the server for the cursor of the current window.
---@param client vim.lsp.Client
---@param bufnr integer The buffer of that window.
---@param kind integer
---@return table
function M.params(client, bufnr, kind)
  local cursor = vim.api.nvim_win_get_cursor(0)
  return {
    textDocument = vim.lsp.util.make_text_document_params(bufnr),
    position = M.position(client, bufnr, cursor[1] - 1, cursor[2]),
    context = { triggerKind = kind },
  }
end

--- Runs an autocommand event of ours.
---@param pattern string
---@param data table
local function announce(pattern, data)
  vim.api.nvim_exec_autocmds("User", { pattern = pattern, modeline = false, data = data })
end

--- Tells the server that a suggestion is on the screen, for its local counters.
---@param client vim.lsp.Client
---@param bufnr integer
---@param item sirdab.Item
function M.did_show(client, bufnr, item)
  announce("SirdabShown", { buf = bufnr })
  if item.id ~= nil then
    M.call(client, "notify", "sirdab/didShow", { id = item.id })
  end
end

--- Runs the command of a suggestion that was accepted in part or in full.
---@param client vim.lsp.Client
---@param bufnr integer
---@param item sirdab.Item
---@param part "full"|"line"|"word"
function M.did_accept(client, bufnr, item, part)
  announce("SirdabAccepted", { buf = bufnr, part = part })
  local command = item.command
  if not command then
    return
  end
  local arguments = command.arguments
  if command.command == "sirdab.accept" then
    arguments = { item.id, part }
  elseif part ~= "full" then
    -- The command of another server means a whole suggestion.
    return
  end
  M.call(client, "request", "workspace/executeCommand", {
    command = command.command,
    arguments = arguments,
  }, function() end, bufnr)
end

--- Tells the server that the cursor has moved on from where a request was made.
---@param client vim.lsp.Client
---@param bufnr integer The current buffer.
function M.did_move(client, bufnr)
  local cursor = vim.api.nvim_win_get_cursor(0)
  M.call(client, "notify", "sirdab/didMoveCursor", {
    textDocument = vim.lsp.util.make_text_document_params(bufnr),
    position = M.position(client, bufnr, cursor[1] - 1, cursor[2]),
  })
end

return M
