package stack

import "errors"

// Stack is a last-in, first-out list of numbers.
type Stack struct {
	items []int
}

// Push puts a number on top.
func (s *Stack) Push(item int) {
	s.items = append(s.items, item)
}

// Pop takes the number from the top.
func (s *Stack) Pop() (int, error) {
	if len(s.items) == 0 {
		return 0, errors.New("stack is empty")
	}
	item := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return item, nil
}
