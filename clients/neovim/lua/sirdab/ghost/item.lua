--- One suggestion, and what is left of it as the user goes on typing. No window, no request.
local position = require("sirdab.ghost.position")

local M = {}

--- Where the cursor was, and what was around it, when a suggestion was asked for.
---@class sirdab.Origin
---@field row integer 0-based line.
---@field col integer 0-based byte column.
---@field line string The whole line.

---@class sirdab.Item
---@field text string What replaces the range, lines separated by "\n".
---@field row integer 0-based line the range is on.
---@field start_col integer 0-based byte column where the range starts.
---@field replaced string Text of the range that lay after the cursor when it was asked for.
---@field tail string Text of the line that lay after the range.
---@field command? lsp.Command To be run when the suggestion was accepted.
---@field id? any The server's name for the suggestion.

--- What would be inserted at the cursor now.
---@class sirdab.Rest
---@field row integer 0-based line of the cursor.
---@field col integer 0-based byte column of the cursor.
---@field text string Text to insert.
---@field delete integer Bytes after the cursor that the text stands in for.

--- Notes the cursor of the current window.
---@param bufnr integer The buffer of that window.
---@return sirdab.Origin
function M.origin(bufnr)
  local cursor = vim.api.nvim_win_get_cursor(0)
  local row = cursor[1] - 1
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ""
  return { row = row, col = cursor[2], line = line }
end

--- Reads one item of the protocol.
---@param item table
---@param origin sirdab.Origin
---@param encoding string
---@return sirdab.Item? item nil where it is not one that ghost text can show.
local function from_lsp(item, origin, encoding)
  -- Snippets are left out: Sirdab never sends them, and they ignore the range.
  if type(item) ~= "table" or type(item.insertText) ~= "string" then
    return nil
  end
  local start_col, end_col = origin.col, origin.col
  local range = type(item.range) == "table" and item.range or nil
  if range then
    -- The specification wants a single line; the one with the cursor is the only one that
    -- can be drawn beside it.
    if range.start.line ~= origin.row or range["end"].line ~= origin.row then
      return nil
    end
    start_col = position.to_byte(origin.line, range.start.character, encoding)
    end_col = position.to_byte(origin.line, range["end"].character, encoding)
    if start_col > origin.col or end_col < origin.col then
      return nil
    end
  end
  local command = type(item.command) == "table" and item.command or nil
  return {
    text = (item.insertText:gsub("\r\n?", "\n")),
    row = origin.row,
    start_col = start_col,
    replaced = origin.line:sub(origin.col + 1, end_col),
    tail = origin.line:sub(end_col + 1),
    command = command,
    id = command and type(command.arguments) == "table" and command.arguments[1] or nil,
  }
end

--- Reads the answer to `textDocument/inlineCompletion`.
---@param result any
---@param origin sirdab.Origin
---@param encoding string
---@return sirdab.Item[]
function M.from_result(result, origin, encoding)
  local items = {}
  if type(result) ~= "table" then
    return items
  end
  for _, item in ipairs(type(result.items) == "table" and result.items or result) do
    items[#items + 1] = from_lsp(item, origin, encoding)
  end
  return items
end

--- Returns what is left of a suggestion at the cursor, or nil when the text no longer agrees
--- with it: something else was typed, or the cursor is elsewhere.
---@param item sirdab.Item
---@param bufnr integer The current buffer.
---@return sirdab.Rest?
function M.rest(item, bufnr)
  local now = M.origin(bufnr)
  if now.row < item.row or (now.row == item.row and now.col < item.start_col) then
    return nil
  end
  -- A suggestion is never longer than its text, so neither is what was typed of it.
  local extra_rows = now.row - item.row
  if extra_rows > 0 and extra_rows > select(2, item.text:gsub("\n", "")) then
    return nil
  end
  if now.line:sub(now.col + 1) ~= item.replaced .. item.tail then
    return nil
  end
  local ok, lines =
    pcall(vim.api.nvim_buf_get_text, bufnr, item.row, item.start_col, now.row, now.col, {})
  if not ok then
    return nil
  end
  local typed = table.concat(lines, "\n")
  if item.text:sub(1, #typed) ~= typed then
    return nil
  end
  local text, delete = item.text:sub(#typed + 1), #item.replaced
  -- Where the suggestion ends in the text that it replaces, nothing needs to be replaced, and
  -- the ghost text can stand before it.
  if delete > 0 and text:sub(-delete) == item.replaced then
    text, delete = text:sub(1, -delete - 1), 0
  end
  if text == "" and delete == 0 then
    return nil
  end
  return { row = now.row, col = now.col, text = text, delete = delete }
end

--- Returns the index of the first suggestion that differs from a text, 1 where none does.
---@param items sirdab.Item[]
---@param text string? What was shown before, if anything.
---@param bufnr integer
---@return integer
function M.other(items, text, bufnr)
  for index, item in ipairs(items) do
    local rest = M.rest(item, bufnr)
    if rest and rest.text ~= text then
      return index
    end
  end
  return 1
end

--- Returns the first word of a text with the white space before it.
---@param text string
---@return string
local function first_word(text)
  local pattern = [[\v^\_s*%(\k+|%(\k@!\S)+)]]
  local word = vim.fn.matchstr(text, pattern)
  return word ~= "" and word or text
end

--- Returns the first line of a text; a line end at the very start belongs to it.
---@param text string
---@return string
local function first_line(text)
  local stop = text:find("\n", 2, true)
  return stop and text:sub(1, stop - 1) or text
end

--- Returns the part of a text that one key accepts.
---@param text string
---@param part "full"|"line"|"word"
---@return string
function M.part(text, part)
  if part == "word" then
    return first_word(text)
  elseif part == "line" then
    return first_line(text)
  end
  return text
end

--- Opens the folds at the cursor, as typing there would.
local function open_folds()
  if vim.fn.foldclosed(".") ~= -1 then
    vim.cmd("silent! .foldopen!")
  end
end

--- Inserts what is left of a suggestion, or its next part, as an undo step of its own.
---
--- `.` does not repeat it. Text that `nvim_paste()` inserts would be repeated, but since 0.11 the
--- register `.` then holds Neovim's own marks around it, and CTRL-R . would insert them.
---@param bufnr integer
---@param rest sirdab.Rest
---@param part "full"|"line"|"word"
---@return boolean complete Whether nothing is left of the suggestion.
function M.insert(bufnr, rest, part)
  local text = M.part(rest.text, part)
  local complete = #text == #rest.text
  local lines = vim.split(text, "\n", { plain = true })
  local stop = rest.col + (complete and rest.delete or 0)
  -- Setting 'undolevels', even to the value it has, ends the undo step (:h undo-break): what
  -- was typed before the suggestion and what is typed after it are undone apart from it.
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels
  vim.api.nvim_buf_set_text(bufnr, rest.row, rest.col, rest.row, stop, lines)
  vim.api.nvim_win_set_cursor(0, {
    rest.row + #lines,
    (#lines == 1 and rest.col or 0) + #lines[#lines],
  })
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels
  open_folds()
  return complete
end

return M
