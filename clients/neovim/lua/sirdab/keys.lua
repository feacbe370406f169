--- Insert-mode keys. Each does what it did before whenever no suggestion is shown.
local config = require("sirdab.config")

local M = {}

--- What each key does, and whether it does so even when nothing is shown.
---@type table<string, { desc: string, always: boolean }>
M.actions = {
  accept = { desc = "Accept the suggestion", always = false },
  accept_word = { desc = "Accept the suggestion's next word", always = false },
  accept_line = { desc = "Accept the suggestion's next line", always = false },
  next = { desc = "Show another suggestion", always = true },
  dismiss = { desc = "Dismiss the suggestion", always = false },
}

--- A key that is ours in a buffer.
---@class sirdab.BoundKey
---@field callback fun(): string Our mapping, by which it is known again.
---@field before? table The buffer's own mapping before ours, as `nvim_buf_get_keymap()` returns it.

--- Our keys, by buffer.
---@type table<integer, table<string, sirdab.BoundKey>>
local bound = {}

--- Does what a key stands for.
---@param action string
function M.run(action)
  local ghost = require("sirdab.ghost")
  if action == "accept" then
    ghost.accept("full")
  elseif action == "accept_word" then
    ghost.accept("word")
  elseif action == "accept_line" then
    ghost.accept("line")
  elseif action == "next" then
    ghost.next()
  else
    ghost.dismiss()
  end
end

---@param lhs string
---@return string
local function raw(lhs)
  return vim.api.nvim_replace_termcodes(lhs, true, true, true)
end

--- Finds the mapping of a key.
---@param mappings table[]
---@param lhs string
---@return table?
local function find(mappings, lhs)
  local wanted = raw(lhs)
  for _, mapping in ipairs(mappings) do
    if mapping.lhsraw == wanted or mapping.lhsrawalt == wanted or raw(mapping.lhs) == wanted then
      return mapping
    end
  end
end

--- Runs the mapping that a key had before ours, keeping its own options.
---@param mapping table As `nvim_get_keymap()` returns it.
---@param bufnr integer
---@return string keys
local function keys_of(mapping, bufnr)
  local plug = "<Plug>(sirdab-previous)"
  local copy = vim.tbl_extend("force", mapping, {
    lhs = plug,
    lhsraw = raw(plug),
    buffer = bufnr,
    mode = "i",
  })
  copy.lhsrawalt = nil
  -- A mapping of a key to itself must not come back here.
  if copy.rhs and raw(copy.rhs) == raw(mapping.lhs) then
    copy.noremap = 1
  end
  vim.api.nvim_buf_call(bufnr, function()
    vim.fn.mapset("i", false, copy)
  end)
  return ([[<Cmd>lua vim.api.nvim_feedkeys(vim.keycode("%s"), "mi", false)<CR>]]):format(
    (plug:gsub("<", "\\060"))
  )
end

---@param action string
---@param lhs string
---@param bufnr integer
---@return string keys
local function press(action, lhs, bufnr)
  if M.actions[action].always or require("sirdab.ghost").visible(bufnr) then
    return ([[<Cmd>lua require("sirdab.keys").run("%s")<CR>]]):format(action)
  end
  local key = (bound[bufnr] or {})[lhs]
  local mapping = key and key.before
    -- Looked up now: a global mapping may have been made after ours.
    or find(vim.api.nvim_get_keymap("i"), lhs)
  return mapping and keys_of(mapping, bufnr) or lhs
end

--- Makes the keys of the options work in a buffer.
---@param bufnr integer
function M.attach(bufnr)
  local keymap = config.current.keymap
  if not keymap or bound[bufnr] then
    return
  end
  local keys = {} ---@type table<string, sirdab.BoundKey>
  bound[bufnr] = keys
  for action, about in pairs(M.actions) do
    local lhs = keymap[action]
    if lhs then
      local before = find(vim.api.nvim_buf_get_keymap(bufnr, "i"), lhs)
      local function callback()
        return press(action, lhs, bufnr)
      end
      keys[lhs] = { callback = callback, before = before }
      vim.keymap.set("i", lhs, callback, {
        buffer = bufnr,
        expr = true,
        replace_keycodes = true,
        desc = "Sirdab: " .. about.desc,
      })
    end
  end
  vim.api.nvim_create_autocmd("BufWipeout", {
    group = vim.api.nvim_create_augroup("sirdab.keys." .. bufnr, { clear = true }),
    buffer = bufnr,
    callback = function()
      bound[bufnr] = nil
    end,
  })
end

--- Says what a key of ours is mapped to in a buffer where another mapping has replaced ours.
---@param lhs string
---@param buffers integer[] Buffers with a server.
---@return string? mapping nil where it is ours everywhere.
function M.taken(lhs, buffers)
  for _, bufnr in ipairs(buffers) do
    local key = (bound[bufnr] or {})[lhs]
    local mapping = key and find(vim.api.nvim_buf_get_keymap(bufnr, "i"), lhs)
    if mapping and mapping.callback ~= key.callback then
      return mapping.desc or mapping.rhs or "a function"
    end
  end
end

--- Takes the keys away again and gives the buffer back those it had. A key that was mapped anew
--- since then is left as it is.
---@param bufnr integer
function M.detach(bufnr)
  local keys = bound[bufnr]
  bound[bufnr] = nil
  if not keys or not vim.api.nvim_buf_is_valid(bufnr) then
    return
  end
  for lhs, key in pairs(keys) do
    local mapping = find(vim.api.nvim_buf_get_keymap(bufnr, "i"), lhs)
    if mapping and mapping.callback == key.callback then
      vim.keymap.del("i", lhs, { buffer = bufnr })
      if key.before then
        -- No way leads into a buffer that is being unloaded; there is nothing to give it back then.
        pcall(vim.api.nvim_buf_call, bufnr, function()
          vim.fn.mapset("i", false, vim.tbl_extend("force", key.before, { buffer = 1 }))
        end)
      end
    end
  end
end

return M
