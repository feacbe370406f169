--- What both displays keep of a buffer, and how a request of theirs is put off and taken back.
local config = require("sirdab.config")
local rpc = require("sirdab.ghost.rpc")

local M = {}

local api = vim.api

--- Row and column of the cursor, and the tick of the text.
---@alias sirdab.Place {[1]: integer, [2]: integer, [3]: integer}

---@class sirdab.State
---@field bufnr integer
---@field client_id integer
---@field group integer Autocommands of the buffer.
---@field items sirdab.Item[] What the server has suggested.
---@field asked boolean Whether the items were asked for, so that there may be several.
---@field pending? integer Id of the request under way.
---@field generation integer Counts requests; an answer to an older one is dropped.
---@field timer? uv.uv_timer_t
---@field dismissed? integer The tick at which suggestions were dismissed.
---@field shown? any Name of the suggestion that the server knows to be shown.

---@param client vim.lsp.Client
---@param bufnr integer
---@return sirdab.State
function M.new(client, bufnr)
  return {
    bufnr = bufnr,
    client_id = client.id,
    group = api.nvim_create_augroup("sirdab.ghost." .. bufnr, { clear = true }),
    items = {},
    asked = false,
    generation = 0,
  }
end

---@param state sirdab.State
---@return vim.lsp.Client?
function M.client(state)
  return vim.lsp.get_client_by_id(state.client_id)
end

--- Returns where the cursor is and in which state of the text.
---@param bufnr integer The current buffer.
---@return sirdab.Place
function M.place(bufnr)
  local cursor = api.nvim_win_get_cursor(0)
  return { cursor[1], cursor[2], api.nvim_buf_get_changedtick(bufnr) }
end

--- Takes back the request under way and the one that was put off.
---@param state sirdab.State
function M.cancel(state)
  state.generation = state.generation + 1
  if state.timer then
    state.timer:stop()
  end
  local client = M.client(state)
  if client and state.pending then
    rpc.call(client, "cancel_request", state.pending)
  end
  state.pending = nil
end

--- Calls back after the pause that the options ask for, unless it is put off again meanwhile.
---@param state sirdab.State
---@param callback fun()
function M.soon(state, callback)
  local timer = state.timer or assert(vim.uv.new_timer())
  state.timer = timer
  timer:stop()
  timer:start(
    config.current.ghost_text.debounce_ms,
    0,
    vim.schedule_wrap(function()
      if state.timer == timer and not timer:is_active() then
        callback()
      end
    end)
  )
end

--- Lets go of everything that Neovim holds for a state.
---@param state sirdab.State
function M.close(state)
  if state.timer then
    state.timer:close()
    state.timer = nil
  end
  api.nvim_del_augroup_by_id(state.group)
end

return M
