--- Ghost text drawn by this plugin, for Neovim 0.10 and 0.11, which have none of their own.
local allowed = require("sirdab.ghost.allowed")
local drawing = require("sirdab.ghost.draw")
local item_module = require("sirdab.ghost.item")
local rpc = require("sirdab.ghost.rpc")
local state_module = require("sirdab.ghost.state")

local M = {}

local api = vim.api
local namespace = api.nvim_create_namespace("sirdab.ghost")

---@class sirdab.OwnState: sirdab.State
---@field index integer Which item is shown.
---@field position? sirdab.Place What was last seen.

---@type table<integer, sirdab.OwnState>
local states = {}

---@param state sirdab.OwnState
local function erase(state)
  if api.nvim_buf_is_valid(state.bufnr) then
    api.nvim_buf_clear_namespace(state.bufnr, namespace, 0, -1)
  end
end

---@param state sirdab.OwnState
local function forget(state)
  state.items = {}
  erase(state)
end

--- Returns the suggestion shown and what is left of it.
---@param state? sirdab.OwnState
---@return sirdab.Item? item
---@return sirdab.Rest? rest
local function current(state)
  if not state or not allowed.now(state.bufnr) then
    return nil
  end
  local item = state.items[state.index]
  local rest = item and item_module.rest(item, state.bufnr)
  if not rest then
    return nil
  end
  return item, rest
end

---@param state sirdab.OwnState
local function draw(state)
  erase(state)
  local item, rest = current(state)
  if not item or not rest then
    return
  end
  local note
  if state.asked and #state.items > 1 then
    note = { (" (%d/%d)"):format(state.index, #state.items), "SirdabGhostTextMore" }
  end
  local options = drawing.options(state.bufnr, item, rest, "SirdabGhostText", note)
  api.nvim_buf_set_extmark(state.bufnr, namespace, rest.row, rest.col, options)
  if state.shown ~= item.id then
    state.shown = item.id
    local client = state_module.client(state)
    if client then
      rpc.did_show(client, state.bufnr, item)
    end
  end
end

---@param state sirdab.OwnState
---@param kind integer
local function request(state, kind)
  local client = state_module.client(state)
  if not client or not allowed.now(state.bufnr) then
    return
  end
  state_module.cancel(state)
  local generation = state.generation
  local origin = item_module.origin(state.bufnr)
  local _, before = current(state)
  local ok, id = rpc.call(
    client,
    "request",
    rpc.method,
    rpc.params(client, state.bufnr, kind),
    function(err, result)
      if generation ~= state.generation or states[state.bufnr] ~= state then
        return
      end
      state.pending = nil
      -- No answer is no news: what is shown goes on being shown while the text agrees with it.
      if err or result == nil or result == vim.NIL then
        return
      end
      state.items = item_module.from_result(result, origin, client.offset_encoding)
      state.asked = kind == rpc.invoked
      state.index = state.asked
          and item_module.other(state.items, before and before.text, state.bufnr)
        or 1
      draw(state)
    end,
    state.bufnr
  )
  if ok then
    state.pending = id
  end
end

--- Follows the cursor and the text.
---@param state sirdab.OwnState
local function update(state)
  if not allowed.now(state.bufnr) then
    state_module.cancel(state)
    erase(state)
    state.position = nil
    return
  end
  local here = state_module.place(state.bufnr)
  if state.position and vim.deep_equal(state.position, here) then
    return
  end
  state.position = here
  local client = state.pending and state_module.client(state)
  if client then
    rpc.did_move(client, state.bufnr)
  end
  if state.dismissed == here[3] then
    return
  end
  if current(state) then
    draw(state)
  else
    forget(state)
  end
  state_module.cancel(state)
  state_module.soon(state, function()
    request(state, rpc.automatic)
  end)
end

---@param state sirdab.OwnState
local function stop(state)
  state_module.cancel(state)
  forget(state)
  state.position, state.dismissed = nil, nil
end

--- Shows suggestions of a client in a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  M.detach(bufnr)
  if vim.lsp.inline_completion then
    -- A user may have it switched on for every server; the text would be shown twice.
    vim.lsp.inline_completion.enable(false, { client_id = client.id })
  end
  local state = state_module.new(client, bufnr) --[[@as sirdab.OwnState]]
  state.index = 1
  states[bufnr] = state
  api.nvim_create_autocmd({ "InsertEnter", "CompleteDone" }, {
    group = state.group,
    buffer = bufnr,
    -- The mode has not changed yet when InsertEnter is run, nor is the menu gone.
    callback = vim.schedule_wrap(function()
      if states[bufnr] == state then
        update(state)
      end
    end),
  })
  api.nvim_create_autocmd({ "TextChangedI", "TextChangedP", "CursorMovedI" }, {
    group = state.group,
    buffer = bufnr,
    callback = function()
      update(state)
    end,
  })
  api.nvim_create_autocmd({ "InsertLeave", "BufLeave", "WinLeave" }, {
    group = state.group,
    buffer = bufnr,
    callback = function()
      stop(state)
    end,
  })
  api.nvim_create_autocmd({ "BufWipeout" }, {
    group = state.group,
    buffer = bufnr,
    callback = function()
      M.detach(bufnr)
    end,
  })
  if allowed.now(bufnr) then
    update(state)
  end
end

---@param bufnr integer
function M.detach(bufnr)
  local state = states[bufnr]
  if not state then
    return
  end
  states[bufnr] = nil
  stop(state)
  state_module.close(state)
end

--- Looks anew at what may be shown.
---@param bufnr integer
function M.refresh(bufnr)
  local state = states[bufnr]
  if state then
    state.position = nil
    update(state)
  end
end

--- Whether a suggestion is on the screen.
---@param bufnr integer
---@return boolean
function M.visible(bufnr)
  return current(states[bufnr]) ~= nil
    and #api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, { limit = 1 }) > 0
end

--- Accepts the suggestion shown, or a part of it.
---@param bufnr integer
---@param part "full"|"line"|"word"
---@return boolean accepted
function M.accept(bufnr, part)
  local state = states[bufnr]
  local item, rest = current(state)
  if not item or not rest then
    return false
  end
  state_module.cancel(state)
  erase(state)
  if item_module.insert(bufnr, rest, part) then
    state.items = {}
  end
  local client = state_module.client(state)
  if client then
    rpc.did_accept(client, bufnr, item, part)
  end
  -- The change is seen here, and not when Neovim next looks, so that the rest is drawn at once.
  update(state)
  return true
end

--- Shows the next suggestion, or asks for some.
---@param bufnr integer
function M.next(bufnr)
  local state = states[bufnr]
  if not state then
    return
  end
  state.dismissed = nil
  if state.asked and #state.items > 1 and current(state) then
    state.index = state.index % #state.items + 1
    draw(state)
  else
    request(state, rpc.invoked)
  end
end

--- Hides the suggestion until the text changes.
---@param bufnr integer
function M.dismiss(bufnr)
  local state = states[bufnr]
  if state then
    state_module.cancel(state)
    forget(state)
    state.dismissed = api.nvim_buf_get_changedtick(bufnr)
  end
end

return M
