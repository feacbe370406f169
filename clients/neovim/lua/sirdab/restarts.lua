--- What happens when a server ends that was not asked to: it is started again, after a pause that
--- grows, and is left alone when that does not help.
local process = require("sirdab.process")
local status = require("sirdab.status")

local M = {}

--- A server is started at most this often within the window.
local max_starts, window_ms = 5, 3 * 60 * 1000
--- Pause before the first restart; it doubles with each one within the window.
local first_pause_ms = 250

--- Times of the ends within the window, in milliseconds.
---@type integer[]
local ends = {}
--- Buffers that wait for their server to be started again, by the root of their project.
---@type table<string, table<integer, true>>
local waiting = {}
--- Whether the next server that answers is worth a word.
local announce = false

--- Whether servers are left alone until the user asks for one.
M.given_up = false

--- Forgets what was: the user has asked for a server.
---@param say_when_ready boolean Whether its being ready is worth a word.
function M.reset(say_when_ready)
  ends, M.given_up, announce = {}, false, say_when_ready
end

--- Called when a server is ready.
function M.ready()
  if announce then
    announce = false
    status.notify("the server is running again.", vim.log.levels.INFO)
  end
end

---@param was_ready boolean
---@param how string
---@param cmd any
local function give_up(was_ready, how, cmd)
  M.given_up = true
  if was_ready then
    status.set({ state = "stopped", message = "The server died too often." })
    vim.notify(
      ("sirdab: the server died %d times in 3 minutes and is left alone; "):format(#ends)
        .. ":Sirdab log shows why, :Sirdab restart starts it again.",
      vim.log.levels.ERROR
    )
    return
  end
  process.ask_why(cmd, function(said)
    how = said and ("%s: %s"):format(how, said:gsub("%.$", "")) or how
    status.set({ state = "stopped", message = ("The server did not start (%s)."):format(how) })
    vim.notify(
      ("sirdab: the server did not start (%s); %s, then :Sirdab restart (see :Sirdab log)."):format(
        how,
        process.remedy
      ),
      vim.log.levels.ERROR
    )
  end)
end

--- Starts a server again for the buffers that it had.
---@param root string The root of its project, "" for none.
---@param bufs table<integer, true>
---@param was_ready boolean Whether it had answered `initialize`.
---@param how string What happened, for the user.
---@param cmd any Its command.
---@param start fun(bufnr: integer) Starts a server for a buffer.
function M.after_end(root, bufs, was_ready, how, cmd, start)
  if M.given_up then
    return
  end
  if waiting[root] then
    waiting[root] = vim.tbl_extend("force", waiting[root], bufs)
    return
  end
  local now = vim.uv.now()
  ends = vim.tbl_filter(function(time)
    return now - time < window_ms
  end, ends)
  ends[#ends + 1] = now
  if #ends >= max_starts then
    return give_up(was_ready, how, cmd)
  end
  status.set({ state = "starting", message = "The server is being started again." })
  -- Told once, and not again while it goes on.
  if was_ready and #ends == 1 then
    announce = true
    status.notify(
      ("the server stopped unexpectedly (%s); starting it again."):format(how),
      vim.log.levels.WARN
    )
  end
  waiting[root] = bufs
  vim.defer_fn(function()
    bufs, waiting[root] = waiting[root], nil
    for bufnr in pairs(bufs) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        start(bufnr)
      end
    end
  end, first_pause_ms * 2 ^ (#ends - 1))
end

return M
