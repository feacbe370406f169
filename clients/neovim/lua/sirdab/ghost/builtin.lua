--- Ghost text drawn by Neovim 0.12 and newer, `vim.lsp.inline_completion`.
---
--- Neovim sends the requests and draws. What stands between it and the server here makes up for
--- what it leaves out. It asks sooner after a key; a superseded request is cancelled; an answer
--- that arrives after more was typed is moved to the cursor or dropped; ghost text that was typed
--- against is hidden; what tabs or the text after the cursor would garble is drawn as it will be;
--- and a suggestion is accepted where the cursor is and not where it was.
local allowed = require("sirdab.ghost.allowed")
local drawing = require("sirdab.ghost.draw")
local item_module = require("sirdab.ghost.item")
local rpc = require("sirdab.ghost.rpc")
local state_module = require("sirdab.ghost.state")

local M = {}

local api = vim.api
local namespace = api.nvim_create_namespace("nvim.lsp.inline_completion")

---@class sirdab.BuiltinState: sirdab.State
---@field handler? lsp.Handler Neovim's own handler of the answer.
---@field deliver? fun(items: table[]) Hands items to Neovim, as if the server had answered.
---@field holding boolean Whether Neovim still holds items of this server.
---@field row integer 0-based line that Neovim was given items for.
---@field col integer 0-based byte column that Neovim was given items for.
---@field asked_at? sirdab.Place Where the last request was made.
---@field tidy_group integer The autocommand that comes after Neovim's own.

---@type table<integer, sirdab.BuiltinState>
local states = {}

--- Whether this Neovim has inline completion.
---@return boolean
function M.available()
  return vim.lsp.inline_completion ~= nil
end

--- Writes what is left of a suggestion as an item at the cursor.
---@param item sirdab.Item
---@param rest sirdab.Rest
---@param client vim.lsp.Client
---@param bufnr integer
---@return lsp.InlineCompletionItem
local function to_lsp(item, rest, client, bufnr)
  return {
    insertText = rest.text,
    range = {
      start = rpc.position(client, bufnr, rest.row, rest.col),
      ["end"] = rpc.position(client, bufnr, rest.row, rest.col + rest.delete),
    },
    command = item.command,
  }
end

--- Splits what Neovim shows into the text and the count behind it.
---@param details vim.api.keyset.extmark_details
---@return string text
---@return [string, string]? note
local function read_mark(details)
  local lines, note = {}, nil
  local shown = { details.virt_text or {} }
  vim.list_extend(shown, details.virt_lines or {})
  for i, chunks in ipairs(shown) do
    local text = ""
    for _, chunk in ipairs(chunks) do
      if chunk[2] == "ComplHintMore" then
        note = { chunk[1], chunk[2] }
      else
        text = text .. chunk[1]
      end
    end
    lines[i] = text
  end
  return table.concat(lines, "\n"), note
end

--- Draws anew what Neovim has put into the line as if nothing stood after the cursor and tabs were
--- characters.
---@param state sirdab.BuiltinState
local function tidy(state)
  if #state.items == 0 or not allowed.now(state.bufnr) then
    return
  end
  local mark = api.nvim_buf_get_extmarks(state.bufnr, namespace, 0, -1, { details = true })[1]
  if not mark then
    return
  end
  local text, note = read_mark(mark[4])
  for _, item in ipairs(state.items) do
    local rest = item_module.rest(item, state.bufnr)
    -- Neovim leaves out of the first line what stands after the cursor as well.
    if rest and text ~= "" and rest.text:sub(-#text) == text then
      api.nvim_buf_del_extmark(state.bufnr, namespace, mark[1])
      local options = drawing.options(state.bufnr, item, rest, "ComplHint", note)
      options.id = mark[1]
      api.nvim_buf_set_extmark(state.bufnr, namespace, rest.row, rest.col, options)
      return
    end
  end
end

--- Has `tidy` run after each time that Neovim draws, which means that it is registered after it.
---@param state sirdab.BuiltinState
local function tidy_after_neovim(state)
  api.nvim_clear_autocmds({ group = state.tidy_group })
  api.nvim_create_autocmd({ "InsertEnter", "CursorMovedI", "TextChangedP" }, {
    group = state.tidy_group,
    buffer = state.bufnr,
    callback = function()
      tidy(state)
    end,
  })
end

--- Gives Neovim the suggestions that the text at the cursor agrees with, and forgets the others.
---@param state sirdab.BuiltinState
---@param client vim.lsp.Client
local function show(state, client)
  local items, agreeing = {}, {}
  if allowed.now(state.bufnr) then
    for _, item in ipairs(state.items) do
      local rest = item_module.rest(item, state.bufnr)
      if rest then
        agreeing[#agreeing + 1] = item
        state.row, state.col = rest.row, rest.col
        items[#items + 1] = to_lsp(item, rest, client, state.bufnr)
      end
    end
  end
  state.items = agreeing
  if state.deliver then
    state.deliver(items)
    state.holding = #items > 0
    tidy(state)
    tidy_after_neovim(state)
  end
  if agreeing[1] and state.shown ~= agreeing[1].id then
    state.shown = agreeing[1].id
    rpc.did_show(client, state.bufnr, agreeing[1])
  end
end

--- Returns the text of the suggestion that was delivered first.
---@param state sirdab.BuiltinState
---@return string?
local function shown_text(state)
  local item = state.items[1]
  local rest = item and allowed.now(state.bufnr) and item_module.rest(item, state.bufnr)
  return rest and rest.text or nil
end

---@param state sirdab.BuiltinState
local function hide(state)
  state.items = {}
  if state.deliver then
    state.deliver({})
    state.holding = false
  end
end

--- Stands between Neovim and a client's requests for inline completion.
---@param client vim.lsp.Client
local function intercept(client)
  local original = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  client.request = function(self, method, params, handler, bufnr)
    local state = method == rpc.method and handler and states[bufnr or api.nvim_get_current_buf()]
    if not state or state.client_id ~= client.id then
      return original(self, method, params, handler, bufnr)
    end
    state.handler = handler
    if not allowed.now(state.bufnr) then
      -- Neovim asks after a pause and looks at the window that is then the current one.
      state_module.cancel(state)
      return true, nil
    end
    local here = state_module.place(state.bufnr)
    if
      params.context.triggerKind == rpc.automatic
      and state.asked_at
      and vim.deep_equal(state.asked_at, here)
    then
      -- Neovim's pause is over; we did not wait for that.
      return true, nil
    end
    state_module.cancel(state)
    state.asked_at = here
    if state.holding and #state.items == 0 then
      -- What was accepted or left behind must not come back with another server's answer.
      hide(state)
    end
    local generation = state.generation
    local origin = item_module.origin(state.bufnr)
    local before = shown_text(state)
    state.asked = params.context.triggerKind == rpc.invoked
    if not state.asked and state.dismissed == api.nvim_buf_get_changedtick(state.bufnr) then
      -- Dismissed, and nothing was typed since: the server is not asked at all.
      return true, nil
    end
    local ok, id = original(self, method, params, function(err, result, context)
      if generation ~= state.generation or states[state.bufnr] ~= state then
        return
      end
      state.pending = nil
      state.deliver = function(items)
        -- Neovim's handler fails once inline completion was switched off for the buffer.
        pcall(handler, nil, { items = items }, context)
      end
      -- No answer is no news: what is shown goes on being shown while the text agrees with it.
      if err or result == nil or result == vim.NIL then
        return
      end
      state.items = item_module.from_result(result, origin, client.offset_encoding)
      show(state, client)
      local index = state.asked and item_module.other(state.items, before, state.bufnr) or 1
      if index > 1 then
        vim.lsp.inline_completion.select({ bufnr = state.bufnr, count = index - 1 })
      end
    end, bufnr)
    state.pending = ok and id or nil
    return ok, id
  end
end

--- Asks after our own pause, which is shorter than Neovim's.
---@param state sirdab.BuiltinState
local function ask_soon(state)
  if not state.handler then
    return
  end
  state_module.soon(state, function()
    local client = state_module.client(state)
    if client and allowed.now(state.bufnr) then
      local params = rpc.params(client, state.bufnr, rpc.automatic)
      client:request(rpc.method, params, state.handler, state.bufnr)
    end
  end)
end

--- Hides ghost text that no longer agrees with what was typed, and moves it with the cursor: back,
--- and to another line. Forward on its line Neovim moves it.
---@param state sirdab.BuiltinState
local function check(state)
  local client = state_module.client(state)
  local may_show = allowed.now(state.bufnr)
  if
    may_show
    and not (state.asked_at and vim.deep_equal(state.asked_at, state_module.place(state.bufnr)))
  then
    if client and state.pending then
      rpc.did_move(client, state.bufnr)
      state_module.cancel(state)
    end
    ask_soon(state)
  end
  if #state.items == 0 then
    return
  end
  local rest
  if may_show then
    for _, item in ipairs(state.items) do
      rest = rest or item_module.rest(item, state.bufnr)
    end
  end
  if not rest or not client then
    hide(state)
  elseif rest.row ~= state.row or rest.col < state.col then
    show(state, client)
  end
end

--- Has Neovim ask, as if the cursor had moved. It asks when a key changes something, and the last
--- key may have come before the server was there. It also makes known where Neovim wants answers.
---@param bufnr integer
local function have_neovim_ask(bufnr)
  local function ask()
    if states[bufnr] then
      pcall(api.nvim_exec_autocmds, "CursorMovedI", {
        group = "nvim.lsp.inline_completion:" .. bufnr,
        buffer = bufnr,
      })
    end
  end
  -- Neovim turns the capability on in a callback that it schedules after LspAttach.
  vim.schedule(function()
    vim.schedule(ask)
  end)
end

--- Shows suggestions of a client in a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  M.detach(bufnr)
  if not client._sirdab_intercepted then
    client._sirdab_intercepted = true
    intercept(client)
  end
  local state = state_module.new(client, bufnr) --[[@as sirdab.BuiltinState]]
  state.holding, state.row, state.col = false, 0, 0
  state.tidy_group = api.nvim_create_augroup("sirdab.tidy." .. bufnr, { clear = true })
  states[bufnr] = state
  api.nvim_create_autocmd({ "TextChangedI", "TextChangedP", "CursorMovedI" }, {
    group = state.group,
    buffer = bufnr,
    callback = function()
      check(state)
    end,
  })
  api.nvim_create_autocmd("CompleteDone", {
    group = state.group,
    buffer = bufnr,
    -- The menu is not gone yet when CompleteDone is run.
    callback = vim.schedule_wrap(function()
      M.refresh(bufnr)
    end),
  })
  api.nvim_create_autocmd("InsertLeave", {
    group = state.group,
    buffer = bufnr,
    callback = function()
      state_module.cancel(state)
      state.items, state.dismissed, state.asked_at = {}, nil, nil
    end,
  })
  api.nvim_create_autocmd("BufWipeout", {
    group = state.group,
    buffer = bufnr,
    callback = function()
      M.detach(bufnr)
    end,
  })
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
  local filter = { bufnr = bufnr, client_id = client.id }
  if not vim.lsp.inline_completion.is_enabled(filter) then
    -- The other display switched it off for this server.
    vim.lsp.inline_completion.enable(true, filter)
  end
  have_neovim_ask(bufnr)
end

---@param bufnr integer
function M.detach(bufnr)
  local state = states[bufnr]
  if not state then
    return
  end
  state_module.cancel(state)
  if #state.items > 0 then
    -- Where another server has ghost text in this buffer too, Neovim would go on showing ours.
    hide(state)
  end
  states[bufnr] = nil
  state_module.close(state)
  api.nvim_del_augroup_by_id(state.tidy_group)
end

--- Looks anew at what may be shown.
---@param bufnr integer
function M.refresh(bufnr)
  local state = states[bufnr]
  if state then
    state.asked_at = nil
    check(state)
  end
end

--- Whether a suggestion is on the screen.
---@param bufnr integer
---@return boolean
function M.visible(bufnr)
  if not allowed.now(bufnr) then
    return false
  end
  local marks = api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, { limit = 1, details = true })
  local details = marks[1] and marks[1][4]
  if not details then
    return false
  end
  -- Neovim keeps what was accepted from another server, and may "show" it with no text left.
  local first = details.virt_text and details.virt_text[1]
  return details.virt_lines ~= nil or (first ~= nil and first[1] ~= "")
end

--- Accepts one of our own suggestions.
---@param state sirdab.BuiltinState
---@param client vim.lsp.Client
---@param text string What Neovim shows, from where the suggestion was last delivered.
---@param part "full"|"line"|"word"
local function accept_own(state, client, text, part)
  for _, item in ipairs(state.items) do
    local rest = item_module.rest(item, state.bufnr)
    if rest and text:sub(-#rest.text) == rest.text then
      state_module.cancel(state)
      local complete = item_module.insert(state.bufnr, rest, part)
      state.items = complete and {} or { item }
      rpc.did_accept(client, state.bufnr, item, part)
      if not complete then
        show(state, client)
      end
      return
    end
  end
  hide(state)
end

--- Accepts the suggestion shown, or a part of it.
---@param bufnr integer
---@param part "full"|"line"|"word"
---@return boolean accepted
function M.accept(bufnr, part)
  if not M.visible(bufnr) then
    return false
  end
  if states[bufnr] then
    -- An answer that comes in the meantime must not change what is accepted.
    state_module.cancel(states[bufnr])
  end
  local done = false
  local found = vim.lsp.inline_completion.get({
    bufnr = bufnr,
    on_accept = function(shown)
      done = true
      local state = states[bufnr]
      local client = state and state_module.client(state)
      if not client or shown.client_id ~= client.id then
        -- Another server's suggestion is left to Neovim.
        return shown
      end
      local text = shown.insert_text
      if type(text) == "string" then
        accept_own(state, client, text, part)
      end
    end,
  })
  if not found then
    return false
  end
  -- Neovim puts acceptance off until it is idle. Keys that are already typed, or that a macro
  -- plays, must find it done.
  vim.wait(1000, function()
    return done
  end, 1)
  return true
end

--- Shows the next suggestion, or asks for some.
---@param bufnr integer
function M.next(bufnr)
  local state = states[bufnr]
  local client = state and state_module.client(state)
  if not client then
    return
  end
  state.dismissed = nil
  if state.asked and #state.items > 1 and M.visible(bufnr) then
    vim.lsp.inline_completion.select({ bufnr = bufnr, count = 1 })
  elseif state.handler then
    client:request(rpc.method, rpc.params(client, bufnr, rpc.invoked), state.handler, bufnr)
  end
end

--- Hides the suggestion until the text changes.
---@param bufnr integer
function M.dismiss(bufnr)
  local state = states[bufnr]
  if state then
    state_module.cancel(state)
    hide(state)
    state.dismissed = api.nvim_buf_get_changedtick(bufnr)
    state.asked_at = nil
  end
end

return M
